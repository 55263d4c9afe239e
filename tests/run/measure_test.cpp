#include "host/run/measure.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "host/plan/plan.hpp"
#include "host/run/session.hpp"
#include "tests/support/fake_device.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;
using test::FakeDevice;
using test::two_branches;

class Measured : public testing::Test {
 protected:
  PlacementCosts costs(CostSource source, const Graph& graph = two_branches()) {
    auto got =
        placement_costs(graph, {&gpu, &cpu}, {Precision::fp32, source, Tuning::rules, folder});
    EXPECT_TRUE(got) << got.error().what;
    return got ? *got : PlacementCosts{};
  }
  size_t files() {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  }
  const test::TemporaryFolder temporary;
  const std::string folder = temporary.path();
  FakeDevice gpu{DeviceKind::gpu, {"Relu", "Neg"}};
  FakeDevice cpu{DeviceKind::cpu, {"Relu", "Abs", "Neg"}};
};

TEST_F(Measured, EveryNodeHasATimeOnEveryDeviceThatCanRunIt) {
  const PlacementCosts got = costs(CostSource::measured);
  ASSERT_EQ(got.nodes.size(), 5u);
  for (size_t n = 0; n < 5; ++n) {
    const bool abs = two_branches().nodes[n].op == "Abs";
    EXPECT_EQ(got.nodes[n].gpu_ns.has_value(), !abs) << n;
    ASSERT_TRUE(got.nodes[n].cpu_ns) << n;
    EXPECT_GT(*got.nodes[n].cpu_ns, 0);
  }
  EXPECT_EQ(*got.nodes[0].cpu_ns, *got.nodes[1].cpu_ns) << "the fake says the same of all";
  ASSERT_EQ(got.transfers.size(), two_branches().values.size());
  EXPECT_GT(got.transfers[0].up_ns, 0);
}

TEST_F(Measured, TimesAreKeptUntilAskedAnew) {
  costs(CostSource::measured);
  const int timed = cpu.profiles;
  ASSERT_GT(timed, 0);
  const PlacementCosts again = costs(CostSource::kept);
  costs(CostSource::measured);
  EXPECT_EQ(cpu.profiles, timed);
  EXPECT_TRUE(again.nodes[0].gpu_ns);
  costs(CostSource::anew);
  EXPECT_GT(cpu.profiles, timed);
}

TEST_F(Measured, AnotherNetworkIsTimedOnItsOwn) {
  costs(CostSource::measured);
  const int timed = cpu.profiles;
  Graph other = two_branches();
  for (Value& value : other.values)
    value.shape = {8};
  costs(CostSource::measured, other);
  EXPECT_GT(cpu.profiles, timed);
}

TEST_F(Measured, DamagedFilesAreMadeAnew) {
  costs(CostSource::measured);
  ASSERT_EQ(files(), 3u) << "nodes of two devices and copies";
  for (const auto& file : fs::directory_iterator(folder)) {
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(-3, std::ios::end);
    bytes.put('\x7e');
  }
  const int timed = cpu.profiles;
  costs(CostSource::measured);
  EXPECT_GT(cpu.profiles, timed);
  for (const auto& file : fs::directory_iterator(folder))
    fs::resize_file(file.path(), 10);
  const int twice = cpu.profiles;
  EXPECT_TRUE(costs(CostSource::measured).nodes[0].cpu_ns);
  EXPECT_GT(cpu.profiles, twice);
}

TEST_F(Measured, AbsurdTimesAreNotBelievedAndPlannedAround) {
  cpu.node_ms = gpu.node_ms = 1e15;
  const PlacementCosts absurd = costs(CostSource::measured);
  ASSERT_TRUE(absurd.nodes[0].gpu_ns);
  EXPECT_LE(*absurd.nodes[0].gpu_ns, 1e12);
  auto plan = make_plan(two_branches(), {&gpu, &cpu}, {.goal = Goal::fastest, .costs = absurd});
  EXPECT_TRUE(plan);
  cpu.node_ms = gpu.node_ms = 2;
  const int timed = cpu.profiles;
  costs(CostSource::measured);
  EXPECT_GT(cpu.profiles, timed) << "what the file holds is no measurement";
}

TEST_F(Measured, TheModelMeasuresAndKeepsNothing) {
  costs(CostSource::measured);
  for (const auto& file : fs::directory_iterator(folder))
    fs::remove(file.path());
  const int timed = cpu.profiles + gpu.profiles;
  const PlacementCosts got = costs(CostSource::model);
  EXPECT_FALSE(got.nodes[1].gpu_ns);
  EXPECT_TRUE(got.nodes[1].cpu_ns);
  EXPECT_EQ(cpu.profiles + gpu.profiles, timed);
  EXPECT_EQ(files(), 0u);
}

TEST_F(Measured, ADeviceThatRefusesTheNumbersMadeUpIsModelled) {
  for (Errc code : {Errc::no_device, Errc::bad_model, Errc::bad_input}) {
    gpu.on_submit = [&](const std::vector<NodeId>& nodes) -> Result<void> {
      if (nodes.size() < 2) return {};  // copies are timed with one node
      return Error{code, "an integer of more than 32 bits"};
    };
    const PlacementCosts got = costs(CostSource::anew);
    EXPECT_TRUE(got.nodes[0].gpu_ns);
    EXPECT_TRUE(got.nodes[0].cpu_ns);
  }
  gpu.on_submit = [](const std::vector<NodeId>&) -> Result<void> {
    return Error{Errc::device_lost, "gone"};
  };
  auto lost = placement_costs(two_branches(), {&gpu, &cpu},
                              {Precision::fp32, CostSource::anew, Tuning::rules, folder});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Errc::device_lost);
}

TEST_F(Measured, ChangesOfLayoutArePartOfTheWay) {
  gpu.relayout_ms = 1000;  // a thousand elements: 1 ms
  Graph graph = two_branches();
  for (Value& value : graph.values)
    value.shape = {1000};
  const PlacementCosts got = costs(CostSource::measured, graph);
  EXPECT_GT(got.transfers[0].up_ns, 0.9e6);
  EXPECT_GT(got.transfers[static_cast<size_t>(graph.outputs[0])].down_ns, 0.9e6);
}

TEST_F(Measured, SharedInputsAreNoCopiesOfTheNetwork) {
  FakeDevice crops{DeviceKind::gpu, {"CropWarp"}};
  Graph graph;
  graph.inputs = {graph.add_value("picture", DType::u8, {3000}),
                  graph.add_value("size", DType::i32, {2}),
                  graph.add_value("rectangles", DType::f32, {1, 4})};
  graph.outputs = {graph.add_value("crop", DType::f32, {1, 3, 4, 4})};
  graph.value(graph.outputs[0]).producer = 0;
  graph.nodes = {{"crop",
                  "CropWarp",
                  18,
                  {{"height", int64_t{4}}, {"width", int64_t{4}}},
                  graph.inputs,
                  graph.outputs}};
  CostOptions options{Precision::fp32, CostSource::measured, Tuning::rules, folder};
  options.shared = {"picture"};
  auto got = placement_costs(graph, {&crops}, options);
  ASSERT_TRUE(got) << got.error().what;
  EXPECT_GT(crops.profiles, 0);
  EXPECT_FALSE(crops.uploaded.contains("picture"));
  EXPECT_TRUE(crops.uploaded.contains("rectangles"));
  const int timed = crops.profiles;
  options.shared = {};
  ASSERT_TRUE(placement_costs(graph, {&crops}, options));
  EXPECT_GT(crops.profiles, timed) << "kept apart";
  EXPECT_TRUE(crops.uploaded.contains("picture"));
}

}  // namespace
}  // namespace vultus
