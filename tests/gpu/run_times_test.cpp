#include "gpu/host_clock.hpp"
#include "host/run/session.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

TEST(HostClock, LiesBetweenWhatRunsHaveShown) {
  gpu::HostClock clock;
  clock.learn(10, 20, 100, 130);  // host less device: 90 to 110
  EXPECT_DOUBLE_EQ(clock.host_time(10), 110);
  clock.learn(40, 45, 138, 143);  // 98 to 98
  EXPECT_DOUBLE_EQ(clock.host_time(10), 108);
  clock.learn(0, 5, 200, 207);  // the device's clock has begun anew: 200 to 202
  EXPECT_DOUBLE_EQ(clock.host_time(0), 201);
}

/// x -> Relu -> y, large enough that copies take time.
Graph one_relu() {
  Graph graph;
  const Shape shape{1, 8, 64, 64};
  const ValueId x = graph.add_value("x", DType::f32, shape);
  const ValueId y = graph.add_value("y", DType::f32, shape);
  Node node;
  node.op = node.name = "Relu";
  node.inputs = {x};
  node.outputs = {y};
  graph.value(y).producer = 0;
  graph.nodes.push_back(std::move(node));
  graph.inputs = {x};
  graph.outputs = {y};
  return graph;
}

TEST(GpuSession, TellsCopiesFromComputing) {
  VULTUS_NEED_GPU(device);
  SessionOptions options;
  options.devices = {&device};
  for (size_t slots : {1u, 2u}) {
    options.in_flight = slots;
    auto session = Session::from_graph(one_relu(), options);
    ASSERT_TRUE(session) << session.error().what;
    const Tensor x = test::random_tensor({1, 8, 64, 64}, 1);
    for (size_t slot = 0; slot < slots; ++slot) {
      ASSERT_TRUE(session->set_input("x", x.view(), slot));
      ASSERT_TRUE(session->submit(slot));
    }
    for (size_t slot = 0; slot < slots; ++slot) {
      ASSERT_TRUE(session->wait(slot));
      const RunTimes& times = session->run_times(slot);
      if (!times.device_clock) GTEST_SKIP() << "the device has no timestamps";
      std::vector<Stage> stages;
      double until = 0;
      for (const RunSpan& span : times.spans) {
        stages.push_back(span.stage);
        EXPECT_GE(span.start_ms, until - 1e-9) << "one after the other";
        until = span.start_ms + span.ms;
      }
      // The device's copy out, then the host's.
      EXPECT_EQ(stages, (std::vector<Stage>{Stage::upload, Stage::compute, Stage::read_back,
                                            Stage::read_back}));
      EXPECT_LE(until, times.wall_ms + 1e-9);
      EXPECT_GE(times.host_ms(), 0);
    }
  }
}

}  // namespace
}  // namespace vultus
