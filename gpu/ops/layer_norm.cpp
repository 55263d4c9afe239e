#include <fmt/format.h>

#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t total, length;
  float epsilon;
};

Shape normalised(const Graph& graph, const Node& node) {
  const Shape& x = graph.shape(node.inputs[0]);
  int axis = from_front(node.integer("axis", -1), x.rank());
  return Shape(x.dims().subspan(static_cast<size_t>(axis)));
}

Support supports(const Graph& graph, const Node& node, const Caps&) {
  if (Support s = plain_tensors(graph, node, false); !s.ok) return s;
  Shape row = normalised(graph, node);
  for (size_t i = 1; i < node.inputs.size(); ++i)
    if (node.inputs[i] != kNoValue && graph.shape(node.inputs[i]).elements() != row.elements())
      return Support::no(fmt::format("LayerNormalization: scale or bias {} is broadcast to {}",
                                     graph.shape(node.inputs[i]).str(), row.str()));
  return Support::yes();
}

bool wanted(const Node& node, size_t i) {
  return i < node.outputs.size() && node.outputs[i] != kNoValue;
}

/// An output of one element a row; memory that nobody uses when it is left out.
Binding row_output(Builder& b, const Node& node, size_t i) {
  if (!wanted(node, i)) return {b.scratch(16), Access::write};
  return writes(b.output(node.outputs[i], Layout::linear));
}

void build(Builder& b, const Node& node) {
  TensorRef in = b.input(node.inputs[0], Layout::linear);
  TensorRef scale = b.input(node.inputs[1], Layout::linear);
  bool biased = node.input(2) != kNoValue;
  TensorRef bias = biased ? b.input(node.inputs[2], Layout::linear) : scale;
  TensorRef out = b.output(node.outputs[0], Layout::linear);
  auto length = static_cast<uint32_t>(normalised(b.graph(), node).elements());
  Push push{in.elements() / length, length, node.real("epsilon", 1e-5f)};
  b.dispatch("layer_norm", {biased, wanted(node, 1), wanted(node, 2)}, push,
             {reads(in), reads(scale), reads(bias), writes(out), row_output(b, node, 1),
              row_output(b, node, 2)},
             fold(uint64_t{push.total} * 64));
}

const RegisterGpu layer_norm({"LayerNormalization", supports, build});

}  // namespace
}  // namespace vultus::gpu
