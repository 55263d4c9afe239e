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

// Channels of a Concat's result that several convolutions write.
TEST(HazardTracker, PartsOfEveryPixelThatDoNotMeetRunTogether) {
  auto part = [](uint64_t first, uint64_t last, uint64_t period = 64, uint64_t begin = 128) {
    return Range{0, begin, begin + 640, {period, first, last}};
  };
  HazardTracker tracker;
  EXPECT_FALSE(tracker.access({}, {part(0, 16)}));
  EXPECT_FALSE(tracker.access({}, {part(16, 48)}));
  EXPECT_FALSE(tracker.access({part(48, 64)}, {at(0, 128)}));
  for (const Range& meets : {part(32, 64), part(0, 64), part(47, 48), part(48, 64, 80),
                             part(48, 64, 64, 144), at(128, 768), at(700, 701)}) {
    HazardTracker again = tracker;
    EXPECT_TRUE(again.access({}, {meets})) << meets.part.first;
  }
  HazardTracker reader = tracker;
  EXPECT_FALSE(reader.access({part(48, 64)}, {}));
  EXPECT_TRUE(reader.access({part(40, 64)}, {}));
  EXPECT_TRUE(tracker.access({at(128, 768)}, {}));
}

}  // namespace
}  // namespace vultus::gpu
