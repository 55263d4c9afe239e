#include <algorithm>

#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

Support supports(const Graph& graph, const Node& node, const Caps&) {
  return plain_tensors(graph, node, true);
}

void build(Builder& b, const Node& node) {
  const Graph& graph = b.graph();
  const Value& result = graph.value(node.outputs[0]);
  bool nhwc8 = fits_nhwc8(result) && std::ranges::any_of(node.inputs, [&](ValueId id) {
                 return !graph.value(id).constant && b.layout_of(id) == Layout::nhwc8;
               });
  TensorRef out = b.output(node.outputs[0], nhwc8 ? Layout::nhwc8 : Layout::linear);
  int along = from_front(node.integer("axis", 1), result.shape.rank());
  int64_t stride = strides_of(out)[static_cast<size_t>(along)];
  int64_t at = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const Shape& shape = graph.shape(node.inputs[i]);
    int64_t length = shape[along];
    if (shape.elements() == 0) continue;
    TensorRef in = as_it_lies(b, node.inputs[i]);
    // Padding lanes are the last part's business; along another axis every part has its own.
    bool pads = along != 1 || at + length == result.shape[1];
    Copy part = copy_of(shape, strides_of(in), out, false);
    if (nhwc8 && pads) {
      part.valid = shape[1];
      int64_t first = along == 1 ? at : 0;
      part.levels.back().size = stored_channels(out) - first;
    }
    part.to = at * stride;
    copy(b, in, out, part);
    at += length;
  }
}

const RegisterGpu concat({"Concat", supports, build});

}  // namespace
}  // namespace vultus::gpu
