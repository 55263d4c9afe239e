#pragma once

#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "host/graph/activation.hpp"
#include "host/ops/op.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {

using Attributes = std::map<std::string, Attribute, std::less<>>;
using Ints = std::vector<int64_t>;

/// A small network for tests of the CPU device, put together node by node.
class Net {
 public:
  ValueId input(const Shape& shape, uint32_t seed) {
    ValueId v = graph.add_value("input" + std::to_string(graph.inputs.size()), DType::f32, shape);
    graph.inputs.push_back(v);
    inputs.push_back(random_tensor(shape, seed));
    return v;
  }
  ValueId constant(Tensor tensor) {
    return graph.add_constant("constant" + std::to_string(graph.values.size()), std::move(tensor));
  }
  ValueId random(const Shape& shape, uint32_t seed, float low = -1, float high = 1) {
    return constant(random_tensor(shape, seed, low, high));
  }
  ValueId node(const std::string& op, std::vector<ValueId> from, Attributes attributes = {},
               int opset = 18) {
    Node n;
    n.op = op;
    n.name = op + std::to_string(graph.nodes.size());
    n.opset = opset;
    n.attributes = std::move(attributes);
    n.inputs = std::move(from);
    ValueId out = graph.add_value(n.name + ".out", DType::f32, {});
    n.outputs = {out};
    NodeId id = static_cast<NodeId>(graph.nodes.size());
    graph.value(out).producer = id;
    graph.nodes.push_back(std::move(n));
    const Op* known = find_op(op);
    EXPECT_NE(known, nullptr) << op;
    if (known) {
      Infer infer(graph, id);
      auto inferred = known->infer(infer);
      EXPECT_TRUE(inferred) << inferred.error().what;
    }
    return out;
  }
  /// A dense convolution that keeps the size; weights keep the values near 1.
  ValueId conv(ValueId x, int64_t channels, int64_t kernel, uint32_t seed,
               Attributes attributes = {}, std::vector<ValueId> residual = {}) {
    int64_t in = graph.shape(x)[1];
    float scale = 1.5f / std::sqrt(static_cast<float>(in * kernel * kernel));
    int64_t pad = kernel / 2;
    attributes.emplace("pads", Ints{pad, pad, pad, pad});
    std::vector<ValueId> from = {x, random({channels, in, kernel, kernel}, seed, -scale, scale),
                                 random({channels}, seed + 1)};
    from.insert(from.end(), residual.begin(), residual.end());
    return node("Conv", std::move(from), std::move(attributes));
  }
  /// A value of that many channels that the device holds in channels last.
  ValueId channels_last(int64_t channels, int64_t height, int64_t width, uint32_t seed) {
    return conv(input({1, 6, height, width}, seed), channels, 1, seed + 1);
  }
  /// A value of that many channels that the device holds in blocks of 16.
  ValueId blocked(int64_t channels, int64_t height, int64_t width, uint32_t seed) {
    ValueId x = conv(input({1, 32, height, width}, seed), 32, 3, seed + 1);
    for (uint32_t i = 0; i < 3; ++i)
      x = conv(x, 32, 3, seed + 3 + i);
    return conv(x, channels, 1, seed + 7);
  }
  void output(ValueId v) { graph.outputs.push_back(v); }

  /// What the operators' plain kernels give.
  std::vector<Tensor> reference() const {
    std::map<ValueId, Tensor> values;
    auto view = [&](ValueId v) {
      if (v == kNoValue) return TensorView{};
      if (const Tensor* c = graph.constant(v)) return c->view();
      return values.at(v).view();
    };
    for (size_t i = 0; i < inputs.size(); ++i)
      values[graph.inputs[i]] = inputs[i].clone();
    for (const Node& n : graph.nodes) {
      Eval eval{n, {}, {}};
      for (ValueId v : n.inputs)
        eval.in.push_back(view(v));
      for (ValueId v : n.outputs) {
        values[v] = Tensor(graph.value(v).dtype, graph.shape(v));
        eval.out.push_back(values[v].view());
      }
      auto done = evaluate(*find_op(n.op), eval);
      EXPECT_TRUE(done) << done.error().what;
    }
    std::vector<Tensor> results;
    for (ValueId v : graph.outputs)
      results.push_back(values.at(v).clone());
    return results;
  }
  std::vector<Tensor> on(Device& device) const {
    std::vector<const Tensor*> pointers;
    for (const Tensor& t : inputs)
      pointers.push_back(&t);
    auto results = run_on(device, graph, pointers);
    EXPECT_TRUE(results) << results.error().what;
    return results ? std::move(*results) : std::vector<Tensor>();
  }
  PartitionSpec spec() const {
    PartitionSpec s;
    for (NodeId n = 0; n < static_cast<NodeId>(graph.nodes.size()); ++n)
      s.nodes.push_back(n);
    s.inputs = graph.inputs;
    s.outputs = graph.outputs;
    return s;
  }
  /// Every output of the device within `tolerance` (relative L2) of the plain kernels'.
  void expect_agreement(double tolerance = 2e-6, const std::string& what = "") {
    auto device = open_cpu(2);
    ASSERT_TRUE(device);
    std::vector<Tensor> got = on(**device), wanted = reference();
    ASSERT_EQ(got.size(), wanted.size());
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(got[i].shape(), wanted[i].shape());
      EXPECT_LE(relative_l2(got[i].as<float>(), wanted[i].as<float>()), tolerance)
          << what << " output " << i << " " << wanted[i].shape().str();
    }
  }

  Graph graph;
  std::vector<Tensor> inputs;
};

inline Attributes with(Attributes attributes, const Epilogue& epilogue) {
  Node node;
  node.attributes = std::move(attributes);
  set_epilogue(node, epilogue);
  return std::move(node.attributes);
}

}  // namespace vultus::test
