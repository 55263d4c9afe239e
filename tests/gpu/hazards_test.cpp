#include "gpu/hazards.hpp"

#include <gtest/gtest.h>

namespace vultus::gpu {
namespace {

Range at(uint64_t begin, uint64_t end, int memory = 0) {
  return {memory, begin, end};
}

TEST(HazardTracker, TheFirstCommandNeedsNoBarrier) {
  HazardTracker tracker;
  EXPECT_FALSE(tracker.access({at(0, 64)}, {at(64, 128)}));
}

TEST(HazardTracker, ReadAfterWriteNeedsABarrier) {
  HazardTracker tracker;
  tracker.access({}, {at(0, 64)});
  EXPECT_TRUE(tracker.access({at(32, 96)}, {at(128, 192)}));
}

TEST(HazardTracker, WriteAfterReadNeedsABarrier) {
  HazardTracker tracker;
  tracker.access({at(0, 64)}, {at(64, 128)});
  EXPECT_TRUE(tracker.access({}, {at(63, 64)}));
}

TEST(HazardTracker, WriteAfterWriteNeedsABarrier) {
  HazardTracker tracker;
  tracker.access({}, {at(0, 64)});
  EXPECT_TRUE(tracker.access({}, {at(0, 64)}));
}

TEST(HazardTracker, ReadersOfTheSameBytesRunTogether) {
  HazardTracker tracker;
  EXPECT_FALSE(tracker.access({at(0, 64)}, {at(64, 128)}));
  EXPECT_FALSE(tracker.access({at(0, 64)}, {at(128, 192)}));
}

TEST(HazardTracker, NeighboursThatOnlyTouchRunTogether) {
  HazardTracker tracker;
  tracker.access({}, {at(0, 64)});
  EXPECT_FALSE(tracker.access({}, {at(64, 128)}));
}

TEST(HazardTracker, EqualOffsetsInDifferentMemoriesRunTogether) {
  HazardTracker tracker;
  tracker.access({}, {at(0, 64, 0)});
  EXPECT_FALSE(tracker.access({at(0, 64, 1)}, {}));
}

TEST(HazardTracker, OneBarrierOrdersEverythingBeforeIt) {
  HazardTracker tracker;
  tracker.access({}, {at(0, 64)});
  tracker.access({}, {at(64, 128)});
  EXPECT_TRUE(tracker.access({at(0, 64)}, {at(128, 192)}));
  EXPECT_FALSE(tracker.access({at(64, 128)}, {at(192, 256)}));
}

TEST(HazardTracker, TheCommandAfterABarrierIsRemembered) {
  HazardTracker tracker;
  tracker.access({}, {at(0, 64)});
  tracker.access({at(0, 64)}, {at(64, 128)});
  EXPECT_TRUE(tracker.access({at(64, 128)}, {at(128, 192)}));
}

TEST(HazardTracker, ResetForgets) {
  HazardTracker tracker;
  tracker.access({}, {at(0, 64)});
  tracker.reset();
  EXPECT_FALSE(tracker.access({at(0, 64)}, {}));
}

}  // namespace
}  // namespace vultus::gpu
