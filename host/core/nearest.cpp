#include "host/core/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace vultus {

namespace {

/// Insertions, deletions and replacements that make one text the other.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] != b[j])});
      diagonal = above;
    }
  }
  return row.back();
}

}  // namespace

std::vector<std::string> nearest(const std::vector<std::string>& names, std::string_view wanted,
                                 size_t most) {
  constexpr size_t kLongest = 256;
  std::vector<std::pair<size_t, std::string>> ranked;
  for (const std::string& name : names)
    if (name.size() <= kLongest)
      ranked.emplace_back(distance(name, wanted.substr(0, kLongest)), name);
  const size_t count = std::min(most, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(count),
                    ranked.end());
  std::vector<std::string> list;
  for (size_t i = 0; i < count; ++i)
    list.push_back(ranked[i].second);
  return list;
}

}  // namespace vultus
