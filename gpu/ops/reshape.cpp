#include "gpu/ops/strided.hpp"
#include "gpu/view.hpp"

namespace vultus::gpu {
namespace {

Support supports(const Graph& graph, const Node& node, const Caps&) {
  return plain_tensors(graph, node, true);
}

/// [N,C] and [N,C,1,1] are the same bytes in nhwc8.
bool same_pixels(const Shape& a, const Shape& b) {
  auto pixel = [](const Shape& s) {
    return s.rank() == 2 || (s.rank() == 4 && s[2] == 1 && s[3] == 1);
  };
  return pixel(a) && pixel(b) && a[0] == b[0] && a[1] == b[1];
}

void build(Builder& b, const Node& node) {
  const Shape& result = b.graph().shape(node.outputs[0]);
  View in = b.view(node.inputs[0]);
  if (in.dense && !in.source.raw &&
      (in.source.layout == Layout::linear || same_pixels(in.shape, result) || in.shape == result))
    return b.alias(node.outputs[0], in.source);
  if (auto view = reshaped(in, result))
    return b.alias(node.outputs[0], std::move(*view), Layout::linear);
  b.alias(node.outputs[0], b.input(node.inputs[0], Layout::linear));
}

const RegisterGpu reshape({"Reshape", supports, build});
const RegisterGpu flatten({"Flatten", supports, build});
const RegisterGpu squeeze({"Squeeze", supports, build});
const RegisterGpu unsqueeze({"Unsqueeze", supports, build});

}  // namespace
}  // namespace vultus::gpu
