#include "host/graph/extend.hpp"

#include <gtest/gtest.h>

#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

Node relu() {
  Node node;
  node.op = "Relu";
  return node;
}

/// y = Relu(x + 1)
Graph add_one() {
  Graph graph;
  graph.name = "part";
  const ValueId x = graph.add_value("x", DType::f32, {2, 3});
  graph.inputs = {x};
  const ValueId one = graph.add_constant("one", Tensor::of<float>({1}, {1.0f}));
  Node add;
  add.op = "Add";
  const ValueId sum = append(graph, std::move(add), {x, one}, "sum").value()[0];
  graph.outputs = append(graph, relu(), {sum}, "y").value();
  return graph;
}

TEST(Extend, AGraphInAnotherReadsWhatItIsGivenAndSharesItsConstants) {
  const Graph part = add_one();
  Graph graph;
  graph.name = "whole";
  const ValueId x = graph.add_value("x", DType::f32, {2, 3});
  graph.inputs = {x};
  const auto once = append(graph, part, "first.", {{"x", x}}).value();
  graph.outputs = append(graph, part, "second.", {{"x", once[0]}}).value();
  graph.compact();
  EXPECT_EQ(graph.nodes.size(), 4u);
  EXPECT_EQ(graph.value(graph.outputs[0]).name, "second.y");
  const ValueId one = graph.find("first.one"), other = graph.find("second.one");
  ASSERT_TRUE(one != kNoValue && other != kNoValue);
  EXPECT_EQ(graph.value(one).constant, part.value(part.find("one")).constant);
  EXPECT_EQ(graph.value(one).constant, graph.value(other).constant);
  auto cpu = open_cpu(1).value();
  const Tensor in = Tensor::of<float>({2, 3}, {-5, -2, -1, 0, 1, 2});
  const auto out = run_on(*cpu, graph, {&in}).value();
  const std::vector<float> expected{1, 1, 1, 2, 3, 4};
  EXPECT_EQ(std::vector<float>(out[0].as<float>().begin(), out[0].as<float>().end()), expected);
}

TEST(Extend, WhatDoesNotFitIsRefusedWithNames) {
  const Graph part = add_one();
  auto refuse = [&](const Shape& shape, const std::string& prefix, const char* input) {
    Graph graph = add_one();
    graph.name = "whole";
    const ValueId z = graph.add_value("z", DType::f32, shape);
    graph.inputs.push_back(z);
    auto made = append(graph, part, prefix, {{input, z}});
    return made ? std::string() : made.error().what;
  };
  EXPECT_EQ(refuse({2, 3}, "p.", "x"), "");
  EXPECT_EQ(refuse({2, 3}, "p.", "w"), "'part' cannot stand in 'whole': input 'x' is not given");
  EXPECT_NE(refuse({2, 4}, "p.", "x").find("input 'x' is given float32 2x4, takes float32 2x3"),
            std::string::npos)
      << refuse({2, 4}, "p.", "x");
  EXPECT_NE(refuse({2, 3}, "", "x").find("there is a value 'one' already"), std::string::npos)
      << refuse({2, 3}, "", "x");
  Graph graph = add_one();
  EXPECT_FALSE(append(graph, relu(), {graph.outputs[0]}, "sum")) << "the name is taken";
  Node unknown;
  unknown.op = "Unheard";
  EXPECT_FALSE(append(graph, unknown, {graph.outputs[0]}, "z"));
}

}  // namespace
}  // namespace vultus::test
