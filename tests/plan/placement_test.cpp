#include "host/plan/placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "host/plan/plan.hpp"
#include "tests/support/fake_device.hpp"

namespace vultus {
namespace {

struct Problem {
  Graph graph;
  PlacementCosts costs;
};

Node node(ValueId in, ValueId out) {
  Node made;
  made.op = "Any";
  made.inputs = {in};
  made.outputs = {out};
  return made;
}

/// A random network of up to 14 nodes with one to three inputs and outputs each, some nodes bound
/// to one device, some tensors free to move.
Problem random_problem(std::mt19937& random) {
  auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  Problem p;
  Graph& g = p.graph;
  const int inputs = 1 + below(3), nodes = 1 + below(14);
  for (int i = 0; i < inputs; ++i)
    g.inputs.push_back(g.add_value("in" + std::to_string(i), DType::f32, {1}));
  for (int n = 0; n < nodes; ++n) {
    Node node;
    node.name = "n" + std::to_string(n);
    node.op = "Any";
    const int reads = 1 + below(3);
    for (int i = 0; i < reads; ++i)
      node.inputs.push_back(below(static_cast<int>(g.values.size())));
    const int makes = 1 + below(2);
    for (int i = 0; i < makes; ++i) {
      ValueId v = g.add_value("v" + std::to_string(n) + "." + std::to_string(i), DType::f32, {1});
      g.value(v).producer = n;
      node.outputs.push_back(v);
    }
    g.nodes.push_back(std::move(node));
    NodeCost cost{below(100), below(100)};
    if (below(8) == 0) cost.gpu_ns.reset();
    if (below(8) == 0 && cost.gpu_ns) cost.cpu_ns.reset();
    p.costs.nodes.push_back(cost);
  }
  for (ValueId v = 0; v < static_cast<ValueId>(g.values.size()); ++v) {
    p.costs.transfers.push_back({below(40), below(40)});
    if (g.value(v).producer >= 0 && below(4) == 0) g.outputs.push_back(v);
  }
  return p;
}

TEST(Placement, TheCutIsTheBestOfAllAssignments) {
  const unsigned seed = 20261121;
  RecordProperty("seed", static_cast<int>(seed));
  std::mt19937 random(seed);
  int mixed = 0;
  for (int round = 0; round < 5000; ++round) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << ", graph " << round);
    Problem p = random_problem(random);
    const size_t nodes = p.graph.nodes.size();
    std::optional<int64_t> best;
    std::vector<bool> on_gpu(nodes);
    for (uint32_t bits = 0; bits < (1u << nodes); ++bits) {
      for (size_t n = 0; n < nodes; ++n)
        on_gpu[n] = (bits >> n & 1u) != 0;
      auto cost = cost_of(p.graph, p.costs, on_gpu);
      if (cost && (!best || *cost < *best)) best = cost;
    }
    auto placement = cheapest_placement(p.graph, p.costs);
    ASSERT_TRUE(placement && best);
    ASSERT_EQ(placement->cost_ns, *best);
    ASSERT_EQ(cost_of(p.graph, p.costs, placement->on_gpu), best);
    auto gpu_nodes =
        static_cast<size_t>(std::count(placement->on_gpu.begin(), placement->on_gpu.end(), true));
    mixed += gpu_nodes > 0 && gpu_nodes < nodes;
  }
  EXPECT_GT(mixed, 1000) << "the random graphs must make placements that are not all one device";
}

TEST(Placement, MovingOneNodeIsWeighedExactly) {
  std::mt19937 random(20261122);
  int weighed = 0;
  for (int round = 0; round < 500; ++round) {
    Problem p = random_problem(random);
    std::vector<bool> on_gpu;
    for (const NodeCost& cost : p.costs.nodes)
      on_gpu.push_back(cost.gpu_ns && (!cost.cpu_ns || random() % 2 == 0));
    const auto before = cost_of(p.graph, p.costs, on_gpu);
    ASSERT_TRUE(before);
    const PlacementWeigher weigher(p.graph, p.costs, on_gpu);
    for (size_t n = 0; n < on_gpu.size(); ++n) {
      if (!p.costs.nodes[n].gpu_ns || !p.costs.nodes[n].cpu_ns) continue;
      std::vector<bool> moved = on_gpu;
      moved[n] = !moved[n];
      ASSERT_EQ(*before + weigher.cost_of_moving(static_cast<NodeId>(n)),
                cost_of(p.graph, p.costs, moved));
      ++weighed;
    }
  }
  EXPECT_GT(weighed, 1000);
}

TEST(Placement, TheNextBestIsTheBestOfAllOthers) {
  std::mt19937 random(20261123);
  test::FakeDevice gpu(DeviceKind::gpu, {}), cpu(DeviceKind::cpu, {});
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    Problem p = random_problem(random);
    const size_t nodes = p.graph.nodes.size();
    auto chosen = cheapest_placement(p.graph, p.costs);
    ASSERT_TRUE(chosen);
    Plan plan;
    plan.costs = p.costs;
    for (bool on_gpu : chosen->on_gpu)
      plan.placement.push_back(on_gpu ? &gpu : &cpu);
    std::optional<int64_t> best;
    std::vector<bool> on_gpu(nodes);
    for (uint32_t bits = 0; bits < (1u << nodes); ++bits) {
      for (size_t n = 0; n < nodes; ++n)
        on_gpu[n] = (bits >> n & 1u) != 0;
      auto cost = cost_of(p.graph, p.costs, on_gpu);
      if (on_gpu != chosen->on_gpu && cost && (!best || *cost < *best)) best = cost;
    }
    auto next = next_best(p.graph, plan);
    ASSERT_EQ(next.has_value(), best.has_value());
    if (!next) continue;
    EXPECT_NEAR(next->more_ms, static_cast<double>(*best - chosen->cost_ns) * 1e-6, 1e-9);
    EXPECT_FALSE(next->moved.empty());
  }
}

TEST(Placement, ATensorReadManyTimesIsMovedOnce) {
  Graph g;
  g.inputs.push_back(g.add_value("x", DType::f32, {1}));
  PlacementCosts costs{{}, {{10, 10}}};
  for (int n = 0; n < 3; ++n) {
    ValueId out = g.add_value("y" + std::to_string(n), DType::f32, {1});
    g.value(out).producer = n;
    g.nodes.push_back(node(0, out));
    g.outputs.push_back(out);
    costs.nodes.push_back({1, 6});
    costs.transfers.push_back({10, 1});
  }
  auto placement = cheapest_placement(g, costs);
  ASSERT_TRUE(placement);
  EXPECT_EQ(placement->on_gpu, std::vector<bool>({true, true, true}));
  EXPECT_EQ(placement->cost_ns, 10 + 3 * 1 + 3 * 1);
}

TEST(Placement, ANodeThatNoDeviceRunsHasNoPlacement) {
  Graph g;
  g.inputs.push_back(g.add_value("x", DType::f32, {1}));
  ValueId y = g.add_value("y", DType::f32, {1});
  g.value(y).producer = 0;
  g.nodes.push_back(node(0, y));
  g.outputs.push_back(y);
  EXPECT_FALSE(cheapest_placement(g, {{{}}, {{1, 1}, {1, 1}}}));
}

TEST(Placement, ADeepChainNeedsNoRecursion) {
  Graph g;
  g.inputs.push_back(g.add_value("x", DType::f32, {1}));
  PlacementCosts costs{{}, {{5, 5}}};
  for (int n = 0; n < 20000; ++n) {
    ValueId out = g.add_value("v", DType::f32, {1});
    g.value(out).producer = n;
    g.nodes.push_back(node(out - 1, out));
    costs.nodes.push_back({n % 2 ? 1 : 2, n % 2 ? 2 : 1});
    costs.transfers.push_back({5, 5});
  }
  g.outputs.push_back(20000);
  auto placement = cheapest_placement(g, costs);
  ASSERT_TRUE(placement);
  EXPECT_EQ(cost_of(g, costs, placement->on_gpu), placement->cost_ns);
}

}  // namespace
}  // namespace vultus
