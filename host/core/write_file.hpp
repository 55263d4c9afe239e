#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "host/core/result.hpp"

namespace vultus {

/// The parts one after the other, under a temporary name, then renamed: readers see the old file or
/// the whole new one. Errc::unwritable says why it failed; the old file is then still there.
Result<void> write_file(const std::string& path, std::initializer_list<std::string_view> parts);

/// Whether `write_file` could begin, before the work whose result it is to write.
Result<void> check_writable(const std::string& path);

}  // namespace vultus
