#pragma once

#include <string>

#include "host/core/result.hpp"

namespace vultus {

/// SHA-256 of a file as 64 lower-case hexadecimal digits.
Result<std::string> sha256_of_file(const std::string& path);

}  // namespace vultus
