#include <cmath>

#include "host/run/session.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

/// A device of its own, validated where the layer is installed.
Result<std::unique_ptr<Device>> open_with(bool copies_apart) {
  gpu::OpenOptions options;
  options.selector = "llvmpipe";
  options.validation = gpu::validation_available();
  options.poison = true;
  options.copies_apart = copies_apart;
  options.cache_folder = "-";
  return gpu::open(options);
}

/// x [1,8,33,17] -> Neg -> Relu -> Neg, x also an output: the smaller of x and 0, and x.
Graph small_network() {
  Graph graph;
  const Shape shape{1, 8, 33, 17};
  ValueId v = graph.add_value("x", DType::f32, shape);
  graph.inputs = {v};
  for (const char* op : {"Neg", "Relu", "Neg"}) {
    ValueId out = graph.add_value("y" + std::to_string(graph.nodes.size()), DType::f32, shape);
    graph.value(out).producer = static_cast<NodeId>(graph.nodes.size());
    Node node;
    node.op = op;
    node.name = op;
    node.inputs = {v};
    node.outputs = {out};
    graph.nodes.push_back(std::move(node));
    v = out;
  }
  graph.outputs = {v, graph.inputs[0]};
  return graph;
}

class InFlight : public testing::TestWithParam<bool> {};

TEST_P(InFlight, EveryRunGivesItsOwnResult) {
  VULTUS_NEED_GPU(shared);
  (void)shared;
  auto device = open_with(GetParam());
  ASSERT_TRUE(device) << device.error().what;
  for (size_t slots : {1u, 2u, 3u}) {
    SessionOptions options;
    options.devices = {device->get()};
    options.in_flight = slots;
    auto session = Session::from_graph(small_network(), options);
    ASSERT_TRUE(session) << session.error().what;
    auto check = [&](size_t run) {
      Tensor x = test::random_tensor({1, 8, 33, 17}, static_cast<uint32_t>(run));
      const size_t slot = run % slots;
      ASSERT_TRUE(session->wait(slot));
      auto y = session->output(0, slot).as<float>(), copy = session->output(1, slot).as<float>();
      for (size_t i = 0; i < y.size(); ++i) {
        ASSERT_EQ(y[i], std::min(x.as<float>()[i], 0.0f)) << "run " << run << " of " << slots;
        ASSERT_EQ(copy[i], x.as<float>()[i]);
      }
    };
    constexpr size_t kRuns = 20;
    for (size_t run = 0; run < kRuns; ++run) {
      if (run >= slots) check(run - slots);
      Tensor x = test::random_tensor({1, 8, 33, 17}, static_cast<uint32_t>(run));
      ASSERT_TRUE(session->set_input("x", x.view(), run % slots));
      ASSERT_TRUE(session->submit(run % slots));
    }
    for (size_t run = kRuns - slots; run < kRuns; ++run)
      check(run);
    auto steps = session->profile();
    ASSERT_TRUE(steps) << steps.error().what;
  }
  for (const std::string& message : gpu::take_validation_messages(**device))
    ADD_FAILURE() << message;
}

INSTANTIATE_TEST_SUITE_P(Copies, InFlight, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& info) {
                           return info.param ? "InSubmissionsOfTheirOwn" : "InTheSameSubmission";
                         });

TEST(GpuSession, ASessionMayBeDroppedWhileRunsAreUnderWay) {
  VULTUS_NEED_GPU(device);
  SessionOptions options;
  options.devices = {&device};
  options.in_flight = 2;
  auto session = Session::from_graph(small_network(), options);
  ASSERT_TRUE(session) << session.error().what;
  Tensor x = test::random_tensor({1, 8, 33, 17}, 1);
  for (size_t slot : {0u, 1u}) {
    ASSERT_TRUE(session->set_input("x", x.view(), slot));
    ASSERT_TRUE(session->submit(slot));
  }
}

}  // namespace
}  // namespace vultus
