#include "host/plan/plan.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_device.hpp"

namespace vultus {
namespace {

using test::FakeDevice;
using test::two_branches;

constexpr int64_t kMs = 1000000;

/// Relu a -> Abs b -> Neg c and Neg d -> Abs e, with these times in milliseconds and copies of
/// `copy` each way.
PlacementCosts costs_of(const Graph& graph, std::vector<int64_t> gpu, std::vector<int64_t> cpu,
                        int64_t copy) {
  PlacementCosts costs;
  for (size_t n = 0; n < gpu.size(); ++n)
    costs.nodes.push_back({gpu[n] * kMs, cpu[n] * kMs});
  costs.transfers.assign(graph.values.size(), {copy * kMs, copy * kMs});
  return costs;
}

class PlanWithCosts : public testing::Test {
 protected:
  Result<Plan> planned(const PlacementCosts& costs, Goal goal = Goal::fastest,
                       std::vector<Pin> pins = {}) {
    return make_plan(graph, {&gpu, &cpu}, {Precision::fp32, goal, std::move(pins), {}, costs});
  }
  std::vector<bool> on_gpu(const Plan& plan) {
    std::vector<bool> list;
    for (Device* device : plan.placement)
      list.push_back(device == &gpu);
    return list;
  }
  Graph graph = two_branches();
  FakeDevice gpu{DeviceKind::gpu, {"Relu", "Abs", "Neg"}};
  FakeDevice cpu{DeviceKind::cpu, {"Relu", "Abs", "Neg"}};
};

TEST_F(PlanWithCosts, TheFastestDeviceTakesAllWhereNothingIsGainedByBoth) {
  auto plan = planned(costs_of(graph, {1, 1, 1, 1, 1}, {3, 3, 3, 3, 3}, 1));
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_EQ(on_gpu(*plan), std::vector<bool>(5, true));
  EXPECT_DOUBLE_EQ(plan->estimate.ms, 5 + 1 + 2);  // x up, both ends down
  EXPECT_EQ(plan->partitions.size(), 1u);
  plan = planned(costs_of(graph, {3, 3, 3, 3, 3}, {1, 1, 1, 1, 1}, 1));
  ASSERT_TRUE(plan);
  EXPECT_EQ(on_gpu(*plan), std::vector<bool>(5, false));
  EXPECT_DOUBLE_EQ(plan->estimate.ms, 5);
}

TEST_F(PlanWithCosts, BranchesRunSideBySideAndTheEstimateSaysSo) {
  auto plan = planned(costs_of(graph, {4, 4, 4, 90, 90}, {90, 90, 90, 7, 7}, 1));
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_EQ(on_gpu(*plan), std::vector<bool>({true, true, true, false, false}));
  ASSERT_EQ(plan->partitions.size(), 2u);
  EXPECT_DOUBLE_EQ(plan->estimate.gpu_ms, 12);
  EXPECT_DOUBLE_EQ(plan->estimate.cpu_ms, 14);
  EXPECT_DOUBLE_EQ(plan->estimate.copies_ms, 2);
  EXPECT_DOUBLE_EQ(plan->estimate.ms, 14) << "not 28: they do not wait for each other";
  EXPECT_EQ(plan->reasons[0], "4.000 ms here, 90.000 ms on the CPU");
  EXPECT_EQ(plan->reasons[2], "4.000 ms here, 90.000 ms on the CPU");
  EXPECT_EQ(plan->reasons[3], "7.000 ms here, 90.000 ms on the GPU and +1.000 ms of copies");
}

TEST_F(PlanWithCosts, AGainTooSmallForInexactCostsIsLeft) {
  // Both devices: 98 against 100.
  auto plan = planned(costs_of(graph, {20, 20, 20, 20, 20}, {22, 22, 17, 22, 22}, 0));
  ASSERT_TRUE(plan);
  EXPECT_EQ(on_gpu(*plan), std::vector<bool>(5, true));
  ASSERT_EQ(plan->alternatives.size(), 3u);
  EXPECT_TRUE(plan->alternatives[0].chosen);
  EXPECT_LT(plan->alternatives[2].estimate.ms, plan->alternatives[0].estimate.ms);
}

TEST_F(PlanWithCosts, APinIsObeyedAndItsPriceShown) {
  auto plan = planned(costs_of(graph, {1, 1, 1, 1, 1}, {3, 3, 3, 3, 3}, 1), Goal::fastest,
                      {{"b", DeviceKind::cpu}});
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_EQ(plan->placement[1], &cpu);
  EXPECT_EQ(plan->reasons[1], "pinned to the cpu");
  ASSERT_EQ(plan->alternatives.back().what, "without pins");
  EXPECT_DOUBLE_EQ(plan->alternatives.back().estimate.ms, 8);
  EXPECT_GT(plan->estimate.ms, 8);
}

TEST_F(PlanWithCosts, APinThatCannotBeMetNamesTheNode) {
  FakeDevice less(DeviceKind::gpu, {"Relu", "Neg"});
  auto plan = make_plan(graph, {&less, &cpu}, {.pins = {{"b", DeviceKind::gpu}}});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Errc::bad_model);
  EXPECT_NE(plan.error().what.find("'b': pinned to the GPU, Abs: the fake has no kernel"),
            std::string::npos)
      << plan.error().what;
  plan = make_plan(graph, {&cpu}, {.pins = {{"b", DeviceKind::gpu}}});
  ASSERT_FALSE(plan);
  EXPECT_NE(plan.error().what.find("not among the devices in use"), std::string::npos)
      << plan.error().what;
}

TEST_F(PlanWithCosts, PreferenceIgnoresCostsButTellsThem) {
  auto plan = planned(costs_of(graph, {9, 9, 9, 9, 9}, {1, 1, 1, 1, 1}, 1), Goal::preference);
  ASSERT_TRUE(plan);
  EXPECT_EQ(on_gpu(*plan), std::vector<bool>(5, true));
  EXPECT_DOUBLE_EQ(plan->estimate.ms, 48);
  EXPECT_TRUE(plan->alternatives.back().chosen);
  EXPECT_EQ(plan->alternatives.back().what, "as asked for");
  auto cheaper = next_best(graph, *plan);
  ASSERT_TRUE(cheaper);
  EXPECT_EQ(cheaper->moved.size(), 5u);
  EXPECT_DOUBLE_EQ(cheaper->more_ms, 5 - 48);
}

TEST_F(PlanWithCosts, WhatIsKeptInFp32StaysInItsPartition) {
  auto plan = make_plan(graph, {&gpu, &cpu}, {.precision = Precision::fp16, .keep_fp32 = {"b"}});
  ASSERT_TRUE(plan) << plan.error().what;
  ASSERT_EQ(plan->partitions.size(), 1u);
  EXPECT_EQ(plan->partitions[0].spec.precision, Precision::fp16);
  EXPECT_EQ(plan->partitions[0].spec.keep_fp32, std::vector<NodeId>{1});
  plan = make_plan(graph, {&gpu, &cpu}, {.precision = Precision::fp16, .keep_fp32 = {"z"}});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Errc::usage);
  EXPECT_NE(plan.error().what.find("'z'"), std::string::npos) << plan.error().what;
}

/// A GPU without 16-bit storage.
class FullPrecisionDevice : public FakeDevice {
 public:
  using FakeDevice::FakeDevice;
  Support supports(const Graph& graph, const Node& node, Precision precision) const override {
    return precision == Precision::fp16 ? Support::no("no 16-bit storage")
                                        : FakeDevice::supports(graph, node, precision);
  }
};

TEST_F(PlanWithCosts, APartitionKeptInFp32AsAWholeNeedsNoFp16) {
  FullPrecisionDevice full(DeviceKind::gpu, {"Relu", "Abs", "Neg"});
  auto plan =
      make_plan(graph, {&full, &cpu}, {.precision = Precision::fp16, .keep_fp32 = {"a", "b"}});
  ASSERT_TRUE(plan) << plan.error().what;
  ASSERT_EQ(plan->placement, (std::vector<Device*>{&full, &full, &cpu, &cpu, &cpu}));
  EXPECT_EQ(plan->partitions[0].spec.precision, Precision::fp32) << "what the device can compile";
  EXPECT_TRUE(plan->partitions[0].spec.keep_fp32.empty());
}

TEST(Estimate, APartitionWaitsForItsInputsAndForItsDevice) {
  Graph graph = two_branches();
  FakeDevice gpu(DeviceKind::gpu, {"Relu", "Neg"}), cpu(DeviceKind::cpu, {"Abs"});
  const std::vector<Device*> places = {&gpu, &cpu, &gpu, &gpu, &cpu};
  PlacementCosts costs = costs_of(graph, {1, 0, 2, 3, 0}, {0, 10, 0, 0, 20}, 5);
  const Estimate e = estimate(graph, partition(graph, places), costs);
  // GPU a and d: 5 up, 4, 10 down; CPU b and e: 30; GPU c: 5 up, 2, 5 down.
  ASSERT_EQ(e.partitions.size(), 3u);
  EXPECT_DOUBLE_EQ(e.partitions[1].start_ms, 19);
  EXPECT_DOUBLE_EQ(e.partitions[2].start_ms, 49);
  EXPECT_DOUBLE_EQ(e.ms, 61);
  EXPECT_DOUBLE_EQ(e.gpu_ms, 6);
  EXPECT_DOUBLE_EQ(e.cpu_ms, 30);
  EXPECT_DOUBLE_EQ(e.copies_ms, 25);
}

}  // namespace
}  // namespace vultus
