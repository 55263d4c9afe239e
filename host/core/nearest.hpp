#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vultus {

/// The `most` names that are most like `wanted`, the nearest first (Levenshtein). Names of more
/// than 256 characters are not compared.
std::vector<std::string> nearest(const std::vector<std::string>& names, std::string_view wanted,
                                 size_t most);

}  // namespace vultus
