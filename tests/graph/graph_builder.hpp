#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "host/graph/activation.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/ops/op.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {

using Attributes = std::map<std::string, Attribute, std::less<>>;

/// Builds a small graph node by node; sizes are inferred as nodes are added.
class GraphBuilder {
 public:
  explicit GraphBuilder(int opset = 13) : opset_(opset) {}

  ValueId input(const Shape& shape) {
    graph_.inputs.push_back(
        graph_.add_value("input" + std::to_string(graph_.inputs.size()), DType::f32, shape));
    return graph_.inputs.back();
  }
  ValueId constant(Tensor tensor) {
    return graph_.add_constant("constant" + std::to_string(graph_.values.size()),
                               std::move(tensor));
  }
  /// Seeded by the number of values, so that no two constants are equal.
  ValueId weights(const Shape& shape, float low = -1, float high = 1) {
    return constant(random_tensor(shape, static_cast<uint32_t>(graph_.values.size()), low, high));
  }
  ValueId integers(const std::vector<int64_t>& values) {
    return constant(Tensor::of<int64_t>({static_cast<int64_t>(values.size())},
                                        std::span<const int64_t>(values)));
  }
  ValueId node(const std::string& op, const std::vector<ValueId>& inputs,
               Attributes attributes = {}) {
    Node node;
    node.op = op;
    node.name = op + std::to_string(graph_.nodes.size());
    node.opset = opset_;
    node.attributes = std::move(attributes);
    node.inputs = inputs;
    ValueId out = graph_.add_value(node.name + ".out", DType::f32, {});
    node.outputs = {out};
    auto id = static_cast<NodeId>(graph_.nodes.size());
    graph_.value(out).producer = id;
    graph_.nodes.push_back(std::move(node));
    const Op* found = find_op(op);
    if (!found) {
      ADD_FAILURE() << "no operator " << op;
      return out;
    }
    Infer infer(graph_, id);
    if (auto result = found->infer(infer); !result) ADD_FAILURE() << result.error().what;
    return out;
  }
  ValueId conv(ValueId x, int64_t outputs, Attributes attributes = {}, bool bias = true) {
    int64_t channels = graph_.shape(x)[1];
    auto group = attributes.find("group");
    if (group != attributes.end()) channels /= std::get<int64_t>(group->second);
    std::vector<ValueId> inputs{x, weights({outputs, channels, 3, 3})};
    if (bias) inputs.push_back(weights({outputs}));
    return node("Conv", inputs, std::move(attributes));
  }
  ValueId batch_norm(ValueId x, float epsilon = 1e-3f) {
    int64_t channels = graph_.shape(x)[1];
    return node("BatchNormalization",
                {x, weights({channels}), weights({channels}), weights({channels}),
                 weights({channels}, 0.5f, 2)},
                {{"epsilon", epsilon}});
  }
  Graph build(const std::vector<ValueId>& outputs) {
    graph_.outputs = outputs;
    graph_.compact();
    return std::move(graph_);
  }
  const Shape& shape(ValueId v) const { return graph_.shape(v); }

 private:
  Graph graph_;
  int opset_;
};

inline std::vector<std::string> ops_of(const Graph& graph) {
  std::vector<std::string> ops;
  for (const Node& n : graph.nodes)
    ops.push_back(n.op);
  return ops;
}

inline int64_t count(const Graph& graph, const std::string& op) {
  return std::count_if(graph.nodes.begin(), graph.nodes.end(),
                       [&](const Node& n) { return n.op == op; });
}

/// Passes reassociate float sums of a few dozen terms; each rounds at 6e-8.
inline constexpr double kRounding = 1e-5;

/// Runs both graphs on the CPU with the same random inputs and compares names, sizes and values of
/// all outputs.
inline void expect_same_results(const Graph& before, const Graph& after,
                                double tolerance = kRounding) {
  auto device = open_cpu(2);
  ASSERT_TRUE(device) << device.error().what;
  std::vector<Tensor> data;
  std::vector<const Tensor*> inputs;
  for (ValueId v : before.inputs)
    data.push_back(random_tensor(before.shape(v), static_cast<uint32_t>(100 + v), -2, 2));
  for (const Tensor& t : data)
    inputs.push_back(&t);
  ASSERT_EQ(before.inputs.size(), after.inputs.size());
  auto expected = run_on(**device, before, inputs);
  ASSERT_TRUE(expected) << expected.error().what;
  auto got = run_on(**device, after, inputs);
  ASSERT_TRUE(got) << got.error().what;
  ASSERT_EQ(before.outputs.size(), after.outputs.size());
  for (size_t i = 0; i < before.outputs.size(); ++i) {
    EXPECT_EQ(after.value(after.outputs[i]).name, before.value(before.outputs[i]).name);
    EXPECT_EQ(after.shape(after.outputs[i]), before.shape(before.outputs[i]));
    EXPECT_LE(relative_l2((*got)[i].as<float>(), (*expected)[i].as<float>()), tolerance);
  }
}

/// Applies `pass`, checks that it changed `changes` places, leaves results alone and that a second
/// inference agrees with the sizes it left. Returns the new graph.
template <class Pass>
Graph expect_kept(const Graph& before, Pass pass, int changes, double tolerance = kRounding) {
  Graph after = before;
  auto changed = pass(after);
  EXPECT_TRUE(changed) << changed.error().what;
  if (!changed) return after;
  EXPECT_EQ(*changed, changes);
  Graph inferred = after;
  auto result = infer_shapes(inferred);
  EXPECT_TRUE(result) << result.error().what;
  for (size_t v = 0; v < after.values.size(); ++v)
    EXPECT_EQ(after.values[v].shape.str(), inferred.values[v].shape.str()) << after.values[v].name;
  expect_same_results(before, after, tolerance);
  return after;
}

}  // namespace vultus::test
