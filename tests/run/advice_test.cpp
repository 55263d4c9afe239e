#include "host/run/advice.hpp"

#include <gtest/gtest.h>

namespace vultus {
namespace {

/// A GPU that computes nearly all the time, timed, on all threads: nothing to say.
RunFacts busy() {
  RunFacts facts;
  facts.wall_ms = 10;
  facts.upload_ms = 0.2;
  facts.compute_ms = 9.5;
  facts.read_back_ms = 0.2;
  facts.host_ms = 0.1;
  facts.on_gpu = facts.may_overlap = true;
  facts.choices = facts.timed_choices = 5;
  return facts;
}

bool has(const std::optional<std::string>& sentence, const std::string& part) {
  return sentence && sentence->find(part) != std::string::npos;
}

TEST(Advice, ADeviceThatIsBusyGetsNone) {
  EXPECT_TRUE(advice(busy()).empty());
  EXPECT_TRUE(advice({}).empty());
}

TEST(Advice, AGpuThatWaitsForTheHostIsToOverlapRuns) {
  RunFacts facts = busy();
  facts.compute_ms = 6.6;
  facts.host_ms = 3;
  EXPECT_TRUE(has(advice_on_waiting(facts), "30 % of a run (3.000 of 10.000 ms)"));
  EXPECT_TRUE(has(advice_on_waiting(facts), "--in-flight 2"));
  for (auto change : {+[](RunFacts& f) { f.host_ms = 1.9; }, +[](RunFacts& f) { f.on_gpu = false; },
                      +[](RunFacts& f) { f.may_overlap = false; },
                      +[](RunFacts& f) { f.device_clock = false; }}) {
    RunFacts other = facts;
    change(other);
    EXPECT_FALSE(advice_on_waiting(other));
  }
}

TEST(Advice, CopiesThatTakeAFifthAreNamed) {
  RunFacts facts = busy();
  facts.upload_ms = 2;
  facts.read_back_ms = 0.5;
  EXPECT_TRUE(has(advice_on_copies(facts), "25 % of a run (2.000 ms in, 0.500 ms out)"));
  EXPECT_TRUE(has(advice_on_copies(facts), "--in-flight"));
  facts.may_overlap = false;
  EXPECT_TRUE(has(advice_on_copies(facts), "smaller inputs"));
  facts.upload_ms = 1.4;
  EXPECT_FALSE(advice_on_copies(facts));
  facts.upload_ms = 2;
  facts.partitions = 2;
  EXPECT_FALSE(advice_on_copies(facts)) << "the rule on partitions speaks then";
  facts.partitions = 1;
  facts.on_gpu = false;
  EXPECT_FALSE(advice_on_copies(facts));
}

TEST(Advice, HandOversBetweenPartitionsAreSummed) {
  RunFacts facts = busy();
  facts.partitions = 3;
  EXPECT_FALSE(advice_on_partitions(facts));
  facts.host_ms = 1.1;
  EXPECT_TRUE(has(advice_on_partitions(facts), "3 partitions take 15 % of a run (1.500 of"));
  facts.partitions = 1;
  EXPECT_FALSE(advice_on_partitions(facts));
}

TEST(Advice, ASoftwareDeviceIsCalledTheCpu) {
  RunFacts facts = busy();
  EXPECT_FALSE(advice_on_software(facts));
  facts.software = true;
  EXPECT_TRUE(has(advice_on_software(facts), "9.500 ms"));
  facts.on_gpu = false;
  EXPECT_FALSE(advice_on_software(facts)) << "nothing runs on it";
}

TEST(Advice, ThreadsThatAreLeftAreCounted) {
  RunFacts facts = busy();
  facts.available_threads = 8;
  facts.threads = 2;
  EXPECT_FALSE(advice_on_threads(facts)) << "nothing runs on the CPU";
  facts.on_cpu = true;
  EXPECT_TRUE(has(advice_on_threads(facts), "2 of the 8 threads"));
  facts.threads = 8;
  EXPECT_FALSE(advice_on_threads(facts));
}

TEST(Advice, ConvolutionsThatWereNeverTimedAreCounted) {
  RunFacts facts = busy();
  facts.timed_choices = 0;
  EXPECT_TRUE(has(advice_on_tuning(facts), "0 of 5 convolutions"));
  facts.timed_choices = 1;
  EXPECT_FALSE(advice_on_tuning(facts));
  facts.choices = facts.timed_choices = 0;
  EXPECT_FALSE(advice_on_tuning(facts));
}

}  // namespace
}  // namespace vultus
