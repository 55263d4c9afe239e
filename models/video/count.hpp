#pragma once

#include <cstdint>
#include <string>

#include "host/core/result.hpp"

namespace vultus {

/// Pictures in the first video stream of a file by its packets, not by what its index declares.
/// mismatch where the first is no key picture, a time does not follow the one before, or the index
/// declares another number; bad_input where it is no video.
Result<int64_t> count_pictures(const std::string& path);

}  // namespace vultus
