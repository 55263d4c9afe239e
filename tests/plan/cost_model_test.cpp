#include "host/plan/cost_model.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_device.hpp"

namespace vultus {
namespace {

// x -> a -> b -> c and x -> d -> e, each 4 floats: 16 bytes.
TEST(TransferCosts, WhatANodeGivesOrReadsOnTheCpuIsCopiedThereToo) {
  const Graph graph = test::two_branches();
  const auto costs = transfer_costs(graph, {1, 16, 2, 4, 8});
  ASSERT_EQ(costs.size(), graph.values.size());
  const ValueId x = graph.inputs[0], a = graph.nodes[0].outputs[0], c = graph.outputs[0];
  EXPECT_EQ(costs[static_cast<size_t>(x)].up_ns, 1000 + 1) << "an input lies in host memory";
  EXPECT_EQ(costs[static_cast<size_t>(a)].up_ns, 1000 + 1 + 2);
  EXPECT_EQ(costs[static_cast<size_t>(a)].down_ns, 2000 + 4 + 2);
  EXPECT_EQ(costs[static_cast<size_t>(c)].down_ns, 2000 + 4) << "an output stays in host memory";
}

TEST(TransferCosts, ConstantsCostNothing) {
  Graph graph = test::two_branches();
  graph.values[0].constant = std::make_shared<Tensor>(DType::f32, Shape{4});
  const auto costs = transfer_costs(graph, {1, 16, 2, 4, 8});
  EXPECT_EQ(costs[0].up_ns, 0);
  EXPECT_EQ(costs[0].down_ns, 0);
}

TEST(TransferCosts, SpeedsOfNothingStayFinite) {
  const auto costs = transfer_costs(test::two_branches(), {0, 0, 0, 0, 0});
  EXPECT_GT(costs[1].up_ns, 0);
  EXPECT_LE(costs[1].up_ns, 1'000'000'000'000);
}

}  // namespace
}  // namespace vultus
