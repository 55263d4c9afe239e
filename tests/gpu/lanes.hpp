#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "gpu/builder.hpp"
#include "host/graph/activation.hpp"
#include "host/ops/op.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus::test {

/// Shows the padding lanes of an nhwc8 tensor as channels: [N,C,H,W] -> [N, C rounded up to 8, H,
/// W].
inline Shape with_lanes(Shape shape) {
  shape[1] = (shape[1] + 7) / 8 * 8;
  return shape;
}
inline const Register kLanes({.name = "TestLanes", .infer = [](Infer& node) -> Result<void> {
                                return node.set(0, DType::f32, with_lanes(node.shape(0)));
                              }});
inline const gpu::RegisterGpu kGpuLanes({"TestLanes", nullptr,
                                         [](gpu::Builder& b, const Node& node) {
                                           gpu::TensorRef x =
                                               b.input(node.inputs[0], gpu::Layout::nhwc8);
                                           x.shape = with_lanes(x.shape);
                                           b.alias(node.outputs[0], x);
                                         }});

/// What fp16 results may differ by in relative L2: inputs and weights are exact halves and sums are
/// fp32, so only the result is rounded, to 11 bits.
inline constexpr double kHalfBound = 0x1p-11;
/// fp32: goal A2.
inline constexpr double kFloatBound = 1e-5;

/// One node that writes nhwc8, run on a device in one precision. `expected` is row-major, of output
/// `which`, the only one that is read. Checks the values in relative L2 and that every padding lane
/// is zero.
inline void expect_lanes(Device& device, const OpCase& what, const std::vector<double>& expected,
                         const std::vector<Precision>& precisions = {Precision::fp32,
                                                                     Precision::fp16},
                         double half_bound = kHalfBound, size_t which = 0) {
  std::vector<Operand> operands;
  std::vector<const Tensor*> inputs;
  for (const Operand& o : what.operands) {
    operands.push_back({o.tensor.bytes() ? o.tensor.clone() : Tensor(), o.constant});
    if (!o.constant && o.tensor.bytes()) inputs.push_back(&o.tensor);
  }
  auto made = single_node(what.op, what.attributes, operands, what.outputs, what.opset);
  ASSERT_TRUE(made) << made.error().what;
  Graph graph = std::move(*made);
  Node lanes;
  lanes.name = "lanes";
  lanes.op = "TestLanes";
  lanes.inputs = {graph.outputs[which]};
  const Shape shape = graph.shape(lanes.inputs[0]);
  lanes.outputs = {graph.add_value("padded", DType::f32, with_lanes(shape))};
  graph.outputs = lanes.outputs;
  graph.nodes.push_back(lanes);
  for (Precision precision : precisions) {
    Support support = device.supports(graph, graph.nodes[0], precision);
    ASSERT_TRUE(support.ok) << support.reason;
    auto results = run_on(device, graph, inputs, precision);
    ASSERT_TRUE(results) << results.error().what;
    const Tensor& got = (*results)[0];
    double difference = 0, norm = 0, lane_sum = 0;
    size_t at = 0, point = 0;
    const auto inner = static_cast<size_t>(shape.elements() / (shape[0] * shape[1]));
    for (int64_t n = 0; n < shape[0]; ++n)
      for (int64_t c = 0; c < got.shape()[1]; ++c)
        for (size_t i = 0; i < inner; ++i, ++at) {
          const double v = static_cast<double>(got.as<float>()[at]);
          if (c >= shape[1]) {
            lane_sum += v == 0 ? 0 : 1;
            continue;
          }
          const double e = expected[point++];
          difference += (v - e) * (v - e);
          norm += e * e;
        }
    EXPECT_EQ(lane_sum, 0) << "padding lanes in " << name_of(precision);
    EXPECT_LE(std::sqrt(difference),
              (precision == Precision::fp32 ? kFloatBound : half_bound) * std::sqrt(norm) + 1e-7)
        << what.op << " in " << name_of(precision);
  }
}

/// One of each kind, with numbers that fp16 does not matter for.
inline const std::vector<Epilogue> kEpilogues{{Activation::none},
                                              {Activation::relu},
                                              {Activation::leaky_relu, 0.25f},
                                              {Activation::sigmoid},
                                              {Activation::silu},
                                              {Activation::clip, -0.5f, 1.5f},
                                              {Activation::hard_sigmoid, 0.2f, 0.5f},
                                              {Activation::hard_swish},
                                              {Activation::tanh}};

inline Attributes with_epilogue(Attributes attributes, const Epilogue& epilogue) {
  Node node;
  node.attributes = std::move(attributes);
  set_epilogue(node, epilogue);
  return std::move(node.attributes);
}

}  // namespace vultus::test
