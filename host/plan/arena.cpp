#include "host/plan/arena.hpp"

#include <algorithm>
#include <numeric>

namespace vultus {

// Greedy by size (Pisarchyk and Lee 2020): the biggest block first, each into the smallest gap
// between the blocks that live at the same time.
ArenaPlan plan_arena(const std::vector<Lifetime>& lifetimes, int64_t alignment) {
  ArenaPlan plan;
  plan.offsets.assign(lifetimes.size(), 0);
  std::vector<size_t> order(lifetimes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return lifetimes[a].bytes > lifetimes[b].bytes; });

  auto end_of = [&](size_t i) {
    return (plan.offsets[i] + lifetimes[i].bytes + alignment - 1) / alignment * alignment;
  };
  std::vector<size_t> placed;  // by offset
  for (size_t i : order) {
    const Lifetime& block = lifetimes[i];
    if (block.bytes == 0) continue;
    int64_t best = -1, best_gap = 0, cursor = 0;
    for (size_t j : placed) {
      if (lifetimes[j].last < block.first || block.last < lifetimes[j].first) continue;
      int64_t gap = plan.offsets[j] - cursor;
      if (gap >= block.bytes && (best < 0 || gap < best_gap)) {
        best = cursor;
        best_gap = gap;
      }
      cursor = std::max(cursor, end_of(j));
    }
    plan.offsets[i] = best < 0 ? cursor : best;
    plan.bytes = std::max(plan.bytes, end_of(i));
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), i,
                         [&](size_t a, size_t b) { return plan.offsets[a] < plan.offsets[b]; }),
        i);
  }
  return plan;
}

}  // namespace vultus
