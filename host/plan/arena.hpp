#pragma once

#include <cstdint>
#include <vector>

namespace vultus {

/// A block of an arena: alive from step `first` to step `last`, both included.
struct Lifetime {
  int64_t bytes = 0;
  int first = 0;
  int last = 0;
};
struct ArenaPlan {
  std::vector<int64_t> offsets;  ///< per lifetime, multiple of the alignment
  int64_t bytes = 0;
};
/// Greedy by size, best fit: no two blocks that live at the same step overlap.
ArenaPlan plan_arena(const std::vector<Lifetime>& lifetimes, int64_t alignment);

}  // namespace vultus
