#include <fmt/format.h>

#include <cmath>

#include "gpu/ops/image.hpp"
#include "gpu/ops/strided.hpp"
#include "host/graph/activation.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t threads, channels, inner;
  float alpha, beta;
};

Support supports(const Graph& graph, const Node& node, const Caps&) {
  const Value& in = graph.value(node.inputs[0]);
  if (in.dtype != DType::f32)
    return Support::no(fmt::format("BatchNormalization: no GPU kernel for {}", name_of(in.dtype)));
  if (in.shape.rank() < 2 || in.shape.elements() == 0)
    return Support::no(fmt::format("BatchNormalization: input of shape {}", in.shape.str()));
  for (size_t i = 1; i < 5; ++i)
    if (!graph.constant(node.input(i)))
      return Support::no("BatchNormalization: statistics computed at run time");
  if (node.integer("training_mode", 0) != 0)
    return Support::no("BatchNormalization: training_mode");
  return Support::yes();
}

void build(Builder& b, const Node& node) {
  const Graph& graph = b.graph();
  auto weight = constant_floats(graph, node.inputs[1]),
       bias = constant_floats(graph, node.inputs[2]);
  auto mean = constant_floats(graph, node.inputs[3]);
  auto variance = constant_floats(graph, node.inputs[4]);
  double epsilon = static_cast<double>(node.real("epsilon", 1e-5f));
  std::vector<float> scale(weight.size()), shift(weight.size());
  for (size_t c = 0; c < scale.size(); ++c) {
    double s =
        static_cast<double>(weight[c]) / std::sqrt(static_cast<double>(variance[c]) + epsilon);
    scale[c] = static_cast<float>(s);
    shift[c] = static_cast<float>(static_cast<double>(bias[c]) - static_cast<double>(mean[c]) * s);
  }
  const Shape& shape = graph.shape(node.inputs[0]);
  Layout layout =
      fits_nhwc8(graph.value(node.inputs[0])) ? b.layout_of(node.inputs[0]) : Layout::linear;
  bool linear = layout == Layout::linear;
  TensorRef in = b.input(node.inputs[0], layout);
  TensorRef out = b.output(node.outputs[0], layout);
  uint32_t channels = static_cast<uint32_t>(shape[1]);
  uint32_t pixels = in.elements() / (static_cast<uint32_t>(shape[0]) * channels);
  uint32_t threads =
      linear ? in.elements() : static_cast<uint32_t>(shape[0]) * pixels * in.groups();
  Epilogue epilogue = epilogue_of(node);
  b.dispatch("batch_norm", {linear ? 1u : 0u, static_cast<uint32_t>(epilogue.kind)},
             Push{threads, channels, pixels, epilogue.alpha, epilogue.beta},
             {reads(in),
              {b.floats(per_channel(scale, channels)), Access::read},
              {b.floats(per_channel(shift, channels)), Access::read},
              writes(out)},
             fold(threads));
}

const RegisterGpu batch_norm({"BatchNormalization", supports, build});

}  // namespace
}  // namespace vultus::gpu
