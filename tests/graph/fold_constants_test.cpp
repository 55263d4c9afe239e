#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

TEST(FoldConstants, ShapeArithmeticBecomesAConstant) {
  GraphBuilder b;
  ValueId x = b.input({2, 3, 4, 5});
  ValueId height = b.node("Gather", {b.node("Shape", {x}), b.integers({2})}, {{"axis", 0L}});
  ValueId twice = b.node("Mul", {height, b.integers({2})});
  Graph graph = b.build({b.node("Relu", {x}), twice});
  auto folded = fold_constants(graph);
  ASSERT_TRUE(folded) << folded.error().what;
  EXPECT_EQ(*folded, 3);
  EXPECT_EQ(ops_of(graph), std::vector<std::string>{"Relu"});
  ASSERT_TRUE(graph.constant(graph.outputs[1]));
  EXPECT_EQ(graph.constant(graph.outputs[1])->as<int64_t>()[0], 8);
}

TEST(FoldConstants, WhatDependsOnAnInputStays) {
  GraphBuilder b;
  ValueId x = b.input({2, 3});
  Graph graph = b.build({b.node("Add", {b.node("Relu", {b.weights({3})}), x})});
  Graph before = graph;
  ASSERT_TRUE(fold_constants(graph));
  EXPECT_EQ(ops_of(graph), std::vector<std::string>{"Add"});
  expect_same_results(before, graph);
}

TEST(FoldConstants, LargeResultsStayNodes) {
  GraphBuilder b;
  ValueId x = b.input({1, 1});
  ValueId map = b.node("Expand", {b.weights({1, 1}), b.integers({5000, 5000})});
  Graph graph = b.build({b.node("Add", {x, map})});
  auto folded = fold_constants(graph);
  ASSERT_TRUE(folded);
  EXPECT_EQ(*folded, 0);
}

TEST(FoldConstants, DoublesBecomeFloatsWhereTheyMeetInputs) {
  GraphBuilder b;
  ValueId x = b.input({2});
  ValueId c = b.constant(Tensor::of<double>({2}, {1.5, -3}));
  Graph graph;
  {
    Node add;
    add.name = "add";
    add.op = "Add";
    add.inputs = {x, c};
    graph = b.build({b.node("Relu", {x}), c});
    graph.outputs[1] = graph.add_value("sum", DType::f32, {});
    add.inputs = {graph.inputs[0], graph.find("constant1")};
    add.outputs = {graph.outputs[1]};
    graph.nodes.push_back(std::move(add));
  }
  auto folded = fold_constants(graph);
  ASSERT_TRUE(folded) << folded.error().what;
  EXPECT_EQ(graph.value(graph.outputs[1]).dtype, DType::f32);
  const Node& add = graph.node(graph.value(graph.outputs[1]).producer);
  EXPECT_EQ(graph.constant(add.inputs[1])->as<float>()[1], -3);
}

TEST(FoldConstants, UnknownOperatorsAreNamed) {
  Graph graph = [] {
    GraphBuilder b;
    return b.build({b.node("Relu", {b.input({1})})});
  }();
  graph.nodes[0].op = "NoSuchOp";
  auto folded = fold_constants(graph);
  ASSERT_FALSE(folded);
  EXPECT_PRED_FORMAT2(testing::IsSubstring, "NoSuchOp 'Relu0'", folded.error().what);
}

}  // namespace
}  // namespace vultus::test
