#include "host/run/run_times.hpp"

#include "host/run/session.hpp"
#include "tests/support/fake_device.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

using test::FakeDevice;
using test::two_branches;

RunTimes with(std::vector<RunSpan> spans, double wall_ms) {
  RunTimes times;
  times.spans = std::move(spans);
  times.wall_ms = wall_ms;
  return times;
}

TEST(RunTimes, WhatNoSpanCoversIsTheHosts) {
  const RunTimes times =
      with({{0, Stage::upload, 1, 2}, {0, Stage::compute, 3, 4}, {1, Stage::compute, 8, 1}}, 10);
  EXPECT_EQ(times.sum_ms(Stage::compute), 5);
  EXPECT_EQ(times.sum_ms(Stage::read_back), 0);
  EXPECT_EQ(times.covered_ms(), 7);
  EXPECT_EQ(times.host_ms(), 3);
  EXPECT_EQ(times.overlap_ms(), 0);
}

TEST(RunTimes, SpansSideBySideCoverOnce) {
  // The second lies within the first, the third reaches beyond it.
  const RunTimes times =
      with({{0, Stage::compute, 0, 6}, {1, Stage::upload, 1, 2}, {1, Stage::compute, 4, 4}}, 9);
  EXPECT_EQ(times.covered_ms(), 8);
  EXPECT_EQ(times.host_ms(), 1);
  EXPECT_EQ(times.overlap_ms(), 4);
}

TEST(RunClock, TimesOfADeviceAreClippedToItsSubmission) {
  RunClock clock(1);
  clock.begin();
  const Moment from = std::chrono::steady_clock::now();
  const Moment to = from + std::chrono::milliseconds(4);
  const auto at = [&](int ms) { return from + std::chrono::milliseconds(ms); };
  clock.note(0, {at(-1), at(1), at(3), at(9)}, from, to);
  clock.finish();
  const auto& spans = clock.times().spans;
  ASSERT_EQ(spans.size(), 3u);
  EXPECT_DOUBLE_EQ(spans[0].ms, 1);
  EXPECT_DOUBLE_EQ(spans[1].ms, 2);
  EXPECT_DOUBLE_EQ(spans[2].ms, 1);
  EXPECT_EQ(spans[2].stage, Stage::read_back);
  EXPECT_TRUE(clock.times().device_clock);
}

TEST(Session, TellsWhereTheTimeOfARunWent) {
  FakeDevice gpu(DeviceKind::gpu, {"Relu", "Neg"}), cpu(DeviceKind::cpu, {"Abs"});
  SessionOptions options;
  options.devices = {&gpu, &cpu};
  auto session = Session::from_graph(two_branches(), options);
  ASSERT_TRUE(session) << session.error().what;
  EXPECT_TRUE(session->run_times().spans.empty()) << "nothing has run";
  Tensor x = Tensor::of<float>({4}, {-2, -1, 3, 4});
  ASSERT_TRUE(session->set_input("x", x.view()));
  for (int run = 0; run < 2; ++run) {
    ASSERT_TRUE(session->run());
    const RunTimes& times = session->run_times();
    // Each of three partitions copies in, computes and copies out.
    ASSERT_EQ(times.spans.size(), 9u);
    EXPECT_FALSE(times.device_clock) << "the fake GPU has none";
    double last = 0;
    for (const RunSpan& span : times.spans) {
      EXPECT_LT(span.partition, 3u);
      EXPECT_GE(span.start_ms, last);
      EXPECT_GT(span.ms, 0);
      EXPECT_LE(span.start_ms + span.ms, times.wall_ms + 1e-9);
      last = span.start_ms;
    }
    EXPECT_GE(times.host_ms(), -1e-9);
    EXPECT_NEAR(times.sum_ms(Stage::upload) + times.sum_ms(Stage::compute) +
                    times.sum_ms(Stage::read_back) + times.host_ms() - times.overlap_ms(),
                times.wall_ms, 1e-5);
  }
}

}  // namespace
}  // namespace vultus
