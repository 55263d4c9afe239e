#include "host/plan/arena.hpp"

#include <gtest/gtest.h>

#include <random>

namespace vultus {
namespace {

bool overlap(int64_t first, int64_t last, int64_t other_first, int64_t other_last) {
  return first <= other_last && other_first <= last;
}

TEST(ArenaPlan, BlocksThatLiveTogetherNeverOverlap) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 engine(seed);
    std::vector<Lifetime> lifetimes(1 + engine() % 60);
    int64_t sum = 0;
    for (Lifetime& l : lifetimes) {
      int first = static_cast<int>(engine() % 50);
      l = {1 + static_cast<int64_t>(engine() % 5000), first,
           first + static_cast<int>(engine() % 12)};
      sum += (l.bytes + 63) / 64 * 64;
    }
    ArenaPlan plan = plan_arena(lifetimes, 64);
    ASSERT_EQ(plan.offsets.size(), lifetimes.size());
    EXPECT_LE(plan.bytes, sum);
    for (size_t i = 0; i < lifetimes.size(); ++i) {
      const Lifetime& a = lifetimes[i];
      EXPECT_EQ(plan.offsets[i] % 64, 0);
      EXPECT_LE(plan.offsets[i] + a.bytes, plan.bytes);
      for (size_t j = 0; j < i; ++j) {
        const Lifetime& b = lifetimes[j];
        if (!overlap(a.first, a.last, b.first, b.last)) continue;
        EXPECT_FALSE(overlap(plan.offsets[i], plan.offsets[i] + a.bytes - 1, plan.offsets[j],
                             plan.offsets[j] + b.bytes - 1));
      }
    }
  }
}

TEST(ArenaPlan, AChainOfEqualBlocksNeedsTwo) {
  std::vector<Lifetime> chain;
  for (int i = 0; i < 20; ++i)
    chain.push_back({1024, i, i + 1});
  EXPECT_EQ(plan_arena(chain, 256).bytes, 2048);
}

TEST(ArenaPlan, NothingNeedsNothing) {
  EXPECT_EQ(plan_arena({}, 64).bytes, 0);
}

}  // namespace
}  // namespace vultus
