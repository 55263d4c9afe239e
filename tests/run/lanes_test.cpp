#include "host/run/lanes.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <mutex>
#include <random>

namespace vultus {
namespace {

using Jobs = std::vector<Lanes::Job>;

TEST(Lanes, IndependentJobsRunAtTheSameTime) {
  Lanes lanes(Jobs{{false, {}}, {true, {}}});
  ASSERT_TRUE(lanes.overlaps());
  for (int run = 0; run < 100; ++run) {
    std::latch both(2);  // one after the other they would wait for ever
    auto done = lanes.run([&](size_t) -> Result<void> {
      both.arrive_and_wait();
      return {};
    });
    ASSERT_TRUE(done);
  }
}

TEST(Lanes, AChainNeedsNoThread) {
  Lanes lanes(Jobs{{true, {}}, {false, {0}}, {true, {1}}, {false, {1, 2}}});
  EXPECT_FALSE(lanes.overlaps());
  std::vector<size_t> order;
  const auto caller = std::this_thread::get_id();
  auto done = lanes.run([&](size_t job) -> Result<void> {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    order.push_back(job);
    return {};
  });
  EXPECT_TRUE(done);
  EXPECT_EQ(order, (std::vector<size_t>{0, 1, 2, 3}));
}

TEST(Lanes, EveryJobRunsOnceOnItsThreadAfterWhatItNeeds) {
  std::mt19937 random(20261121);
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    Jobs jobs(1 + random() % 12);
    for (size_t j = 0; j < jobs.size(); ++j) {
      jobs[j].aside = random() % 2 == 0;
      for (size_t before = 0; before < j; ++before)
        if (random() % 4 == 0) jobs[j].after.push_back(before);
    }
    Lanes lanes(jobs);
    for (int run = 0; run < 3; ++run) {
      std::mutex mutex;
      std::vector<int> times(jobs.size());
      std::vector<std::thread::id> threads[2];
      auto done = lanes.run([&](size_t job) -> Result<void> {
        std::lock_guard lock(mutex);
        for (size_t before : jobs[job].after)
          EXPECT_EQ(times[before], 1);
        ++times[job];
        threads[jobs[job].aside].push_back(std::this_thread::get_id());
        return {};
      });
      ASSERT_TRUE(done);
      EXPECT_EQ(times, std::vector<int>(jobs.size(), 1));
      for (const auto& lane : threads)
        for (std::thread::id id : lane)
          EXPECT_EQ(id, lane[0]);
    }
  }
}

TEST(Lanes, AnErrorStopsBothAndTheNextRunBeginsAfresh) {
  Lanes lanes(Jobs{{false, {}}, {true, {}}, {true, {0}}, {false, {1}}});
  ASSERT_TRUE(lanes.overlaps());
  for (size_t failing = 0; failing < 2; ++failing) {
    std::atomic<int> later = 0;
    auto done = lanes.run([&](size_t job) -> Result<void> {
      if (job == failing) return Error{Errc::device_lost, "gone"};
      if (job == 2 + failing) ++later;
      return {};
    });
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().what, "gone");
    EXPECT_EQ(later, 0) << "needs what failed";
    EXPECT_TRUE(lanes.run([](size_t) { return Result<void>(); }));
  }
}

}  // namespace
}  // namespace vultus
