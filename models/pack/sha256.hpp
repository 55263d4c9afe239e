#pragma once

#include <string>
#include <string_view>

#include "host/core/result.hpp"

namespace vultus {

/// SHA-256 of a file as 64 lower-case hexadecimal digits.
Result<std::string> sha256_of_file(const std::string& path);
/// The same of bytes in memory.
Result<std::string> sha256_of(std::string_view bytes);

}  // namespace vultus
