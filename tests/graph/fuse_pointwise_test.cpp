#include <set>

#include "host/ops/pointwise_program.hpp"
#include "tests/graph/graph_builder.hpp"
#include "tests/support/pointwise.hpp"

namespace vultus::test {
namespace {

using Ints = std::vector<int64_t>;
using Ops = std::vector<std::string>;

ValueId scalar(GraphBuilder& b, float v) {
  return b.constant(Tensor::of<float>({}, {v}));
}

TEST(FusePointwise, AChainIsOneNode) {
  GraphBuilder b;
  ValueId x = b.input({2, 3, 4, 5});
  ValueId y = b.node("Sqrt", {b.node("Abs", {b.node("Mul", {x, b.weights({3, 1, 1})})})});
  Graph graph = b.build({b.node("Div", {y, scalar(b, 3)})});
  Graph after = expect_kept(graph, fuse_pointwise, 1);
  EXPECT_EQ(ops_of(after), Ops{"Pointwise"});
  EXPECT_EQ(after.nodes[0].inputs.size(), 2u) << "numbers are immediates";
}

TEST(FusePointwise, AConditionThatChoosesTwiceGivesTwoResults) {
  GraphBuilder b;
  ValueId x = b.input({1, 1, 6, 5});
  ValueId low = b.node("Clip", {x, scalar(b, 0), scalar(b, 1)});
  ValueId above = b.node("Greater", {low, scalar(b, 0.05f)});
  ValueId zeros = b.weights({1, 1, 6, 5});
  Graph graph = b.build({b.node("Where", {above, b.weights({1, 1, 6, 5}), zeros}),
                         b.node("Where", {above, b.weights({1, 1, 6, 5}), zeros})});
  Graph after = expect_kept(graph, fuse_pointwise, 1);
  EXPECT_EQ(ops_of(after), Ops{"Pointwise"});
  EXPECT_EQ(after.nodes[0].outputs.size(), 2u);
}

TEST(FusePointwise, WhatOthersReadStaysAResult) {
  GraphBuilder b;
  ValueId sum = b.node("Mul", {b.input({3, 8}), b.input({3, 8})});
  ValueId more = b.node("Sub", {sum, b.input({3, 1})});
  Graph graph = b.build({b.node("Softmax", {sum}), b.node("Relu", {more}), sum});
  Graph after = expect_kept(graph, fuse_pointwise, 1);
  EXPECT_EQ(after.nodes.size(), 2u);
}

TEST(FusePointwise, NothingOutsideMayLieBetweenMembers) {
  GraphBuilder b;
  ValueId x = b.node("Abs", {b.input({3, 8})});
  ValueId sum = b.node("ReduceSum", {x, b.integers({1})});
  Graph graph = b.build({b.node("Neg", {b.node("Div", {x, sum})})});
  Graph after = expect_kept(graph, fuse_pointwise, 1);
  EXPECT_EQ(ops_of(after), (Ops{"Abs", "ReduceSum", "Pointwise"}));
}

TEST(FusePointwise, SmallFactorsAreComputedWhereTheyAreUsed) {
  GraphBuilder b;
  ValueId x = b.input({3, 8, 4}), y = b.input({3, 8, 1});
  ValueId norm = b.node("Clip", {b.node("Sqrt", {b.node("Abs", {y})}), scalar(b, 0.5f)});
  Graph graph = b.build({b.node("Div", {x, norm})});
  EXPECT_EQ(ops_of(expect_kept(graph, fuse_pointwise, 1)), Ops{"Pointwise"});
}

TEST(FusePointwise, AFactorSeenUnderTwoShapesIsReadTwice) {
  GraphBuilder b;
  ValueId x = b.input({2, 8, 8}), degree = b.node("Abs", {b.input({2, 8})});
  ValueId power = b.node("Pow", {b.node("Add", {degree, scalar(b, 1)}), scalar(b, -0.5f)});
  ValueId rows = b.node("Reshape", {power, b.integers({2, 8, 1})});
  ValueId columns = b.node("Reshape", {power, b.integers({2, 1, 8})});
  Graph graph = b.build({b.node("Mul", {b.node("Mul", {x, rows}), columns})});
  Graph after = expect_kept(graph, fuse_pointwise, 1);
  EXPECT_EQ(count(after, "Pointwise"), 1);
  EXPECT_EQ(count(after, "Reshape"), 2);
  EXPECT_EQ(after.nodes.size(), 3u);
}

TEST(FusePointwise, NormalisationsAndActivationsComeAlong) {
  GraphBuilder b;
  ValueId x = b.input({1, 8, 20});
  ValueId sum = b.node("Add", {b.batch_norm(b.node("Add", {x, b.input({1, 8, 20})})), x});
  Graph graph = b.build({b.node("Relu", {sum})});
  Graph activated = graph;
  ASSERT_TRUE(fuse_activations(activated));
  EXPECT_EQ(ops_of(expect_kept(activated, fuse_pointwise, 1)), Ops{"Pointwise"});
}

TEST(FusePointwise, LimitsSplitAChain) {
  GraphBuilder b;
  ValueId x = b.input({4, 9});
  for (int i = 0; i < 40; ++i)
    x = b.node(i % 2 ? "Tanh" : "Neg", {x});
  Graph after = expect_kept(b.build({x}), fuse_pointwise, 3);
  EXPECT_EQ(count(after, "Pointwise"), 3);

  GraphBuilder c;
  ValueId sum = c.input({4, 9});
  for (int i = 0; i < 12; ++i)
    sum = c.node("Sub", {sum, c.input({4, 9})});
  after = expect_kept(c.build({sum}), fuse_pointwise, 3);
  for (const Node& n : after.nodes)
    EXPECT_LE(n.inputs.size(), PointwiseProgram::kMostInputs);
}

TEST(FusePointwise, SingleNodesIntegersAndRanksAboveFourStay) {
  GraphBuilder b;
  ValueId x = b.input({2, 1, 2, 1, 3});
  Graph graph = b.build(
      {b.node("Neg", {b.node("Abs", {x})}), b.node("Tanh", {b.input({3})}),
       b.node("Cast", {b.node("Greater", {b.input({3}), b.input({3})})}, {{"to", int64_t{1}}})});
  expect_kept(graph, fuse_pointwise, 0);

  GraphBuilder c;
  ValueId whole = c.node("Cast", {c.input({4})}, {{"to", int64_t{6}}});
  ValueId doubled = c.node("Mul", {c.node("Add", {whole, whole}), whole});
  graph = c.build({c.node("Cast", {doubled}, {{"to", int64_t{1}}})});
  expect_kept(graph, fuse_pointwise, 0);
}

TEST(FusePointwise, AConstantWithAxesOfItsOwnKeepsTheShape) {
  GraphBuilder b;
  ValueId x = b.input({5});
  ValueId y = b.node("Mul", {x, b.constant(Tensor::of<float>({1, 1, 1}, {2}))});
  Graph graph = b.build({b.node("Neg", {b.node("Abs", {y})})});
  Graph after = graph;
  ASSERT_TRUE(fuse_pointwise(after));
  expect_same_results(graph, after);
}

/// As expect_same_results, for outputs of any type, on the plain kernels' composition.
void expect_same_outputs(const Graph& before, const Graph& after) {
  auto device = open_cpu(2);
  ASSERT_TRUE(device) << device.error().what;
  std::vector<Tensor> data;
  std::vector<const Tensor*> inputs;
  for (ValueId v : before.inputs)
    data.push_back(random_tensor(before.shape(v), static_cast<uint32_t>(v) + 1, -2, 2));
  for (const Tensor& t : data)
    inputs.push_back(&t);
  auto expected = run_on(**device, before, inputs), got = run_on(**device, after, inputs);
  ASSERT_TRUE(expected) << expected.error().what;
  ASSERT_TRUE(got) << got.error().what;
  for (size_t i = 0; i < before.outputs.size(); ++i) {
    ASSERT_EQ(after.shape(after.outputs[i]), before.shape(before.outputs[i]));
    ASSERT_EQ((*got)[i].dtype(), (*expected)[i].dtype());
    if ((*got)[i].dtype() == DType::f32)
      EXPECT_LE(relative_l2((*got)[i].as<float>(), (*expected)[i].as<float>()), 1e-5) << i;
    else
      EXPECT_TRUE(std::ranges::equal((*got)[i].as<bool>(), (*expected)[i].as<bool>())) << i;
  }
}

TEST(FusePointwise, RandomNetworksKeepTheirResults) {
  int nodes = 0, left = 0;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Graph graph = random_pointwise_network(seed, 24);
    Graph after = graph;
    auto fused = fuse_pointwise(after);
    ASSERT_TRUE(fused) << fused.error().what;
    Graph inferred = after;
    auto result = infer_shapes(inferred);
    ASSERT_TRUE(result) << result.error().what;
    expect_same_outputs(graph, after);
    nodes += static_cast<int>(graph.nodes.size());
    left += static_cast<int>(after.nodes.size());
  }
  EXPECT_LT(left, nodes / 3);
}

TEST(FusePointwise, ProgramsAreCountedAndNodesThatRepeatOneAreNot) {
  const std::vector<std::string> functions{"Exp", "Abs", "Neg", "Sqrt", "Floor", "Ceil", "Sign"};
  const size_t kinds = functions.size();
  GraphBuilder b;
  ValueId x = b.input({3, 5});
  std::vector<ValueId> outputs;
  // 343 chains of three functions each, every one another program; then one of them again.
  for (size_t i = 0; i <= kinds * kinds * kinds; ++i) {
    const size_t chain = i % (kinds * kinds * kinds);
    ValueId y = x;
    for (size_t divisor : {size_t{1}, kinds, kinds * kinds})
      y = b.node(functions[chain / divisor % kinds], {y});
    outputs.push_back(y);
  }
  Graph after = b.build(outputs);
  ASSERT_TRUE(fuse_pointwise(after));
  std::set<std::vector<int64_t>> programs;
  for (const Node& node : after.nodes)
    if (node.op == "Pointwise") programs.insert(node.integers("code"));
  EXPECT_EQ(programs.size(), 64u);
  // The last chain, seen first, is one that is made twice.
  EXPECT_EQ(count(after, "Pointwise"), 65);
  EXPECT_EQ(std::ssize(after.nodes), 65 + 3 * (343 - 64));
}

}  // namespace
}  // namespace vultus::test
