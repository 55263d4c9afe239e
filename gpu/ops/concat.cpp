#include <algorithm>

#include "gpu/ops/strided.hpp"
#include "gpu/view.hpp"

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
  bool begun = std::ranges::any_of(node.inputs, [&](ValueId v) { return b.is_placed(v); });
  std::optional<TensorRef> for_host;
  if (!begun) for_host = b.host_output(node.outputs[0]);
  nhwc8 = begun || (nhwc8 && !for_host);
  TensorRef out;
  if (begun)
    out = b.input(node.outputs[0], Layout::nhwc8);
  else if (for_host)
    out = *for_host;
  else
    out = b.output(node.outputs[0], nhwc8 ? Layout::nhwc8 : Layout::linear);
  int along = from_front(node.integer("axis", 1), result.shape.rank());
  int64_t stride = strides_of(out)[static_cast<size_t>(along)];
  int64_t at = 0;
  std::vector<Part> parts;
  for (ValueId value : node.inputs) {
    const Shape& shape = graph.shape(value);
    int64_t length = shape[along];
    if (shape.elements() == 0) continue;
    if (b.is_placed(value)) {
      at += length;
      continue;
    }
    // Padding lanes are the last part's business; along another axis every part has its own.
    bool pads = nhwc8 && (along != 1 || at + length == result.shape[1]);
    View view = b.view(value);
    if (pads && !can_fill(view, Layout::nhwc8)) view = view_of(b.input(value, Layout::linear));
    Copy part = copy_of(view, out, false);
    if (pads) {
      part.valid = shape[1];
      part.levels.back().size = stored_channels(out) - (along == 1 ? at : 0);
    }
    part.to = at * stride;
    parts.push_back({view.source, part});
    at += length;
  }
  copy_all(b, std::move(parts), out);
}

const RegisterGpu concat({"Concat", supports, build});

}  // namespace
}  // namespace vultus::gpu
