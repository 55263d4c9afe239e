#include <fmt/format.h>

#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

Support supports(const Graph& graph, const Node& node, const Caps&) {
  if (Support s = plain_tensors(graph, node, true); !s.ok) return s;
  int repeated = 0;  // each takes a level of its own
  const Shape &x = graph.shape(node.inputs[0]), &result = graph.shape(node.outputs[0]);
  for (int d = 0; d < x.rank(); ++d)
    repeated += x[d] != 1 && x[d] != result[d + result.rank() - x.rank()];
  if (result.rank() + repeated > static_cast<int>(kMaxLevels))
    return Support::no(fmt::format("{}: {} repeated axes of {}", node.op, repeated, result.rank()));
  return Support::yes();
}

/// Expand and Tile: every axis of the result repeats an axis of the input.
void build(Builder& b, const Node& node) {
  const Shape& x = b.graph().shape(node.inputs[0]);
  const Shape& result = b.graph().shape(node.outputs[0]);
  int added = result.rank() - x.rank();
  TensorRef in = as_it_lies(b, node.inputs[0]);
  bool channels_repeat = result.rank() >= 2 && added == 0 && x[1] != 1 && x[1] != result[1];
  if (in.layout == Layout::nhwc8 && (added != 0 || channels_repeat))
    in = b.input(node.inputs[0], Layout::linear);
  TensorRef out = b.output(node.outputs[0], in.layout);
  std::vector<int64_t> from = strides_of(in), to = strides_of(out);
  Copy what;
  for (int axis : axes_in_memory(out.layout, result.rank())) {
    int64_t own = axis < added ? 1 : x[axis - added];
    int64_t source = own == 1 ? 0 : from[static_cast<size_t>(axis - added)];
    int64_t target = to[static_cast<size_t>(axis)];
    if (own != 1 && own != result[axis])
      what.levels.push_back({result[axis] / own, {0, own * target}});
    what.levels.push_back({own == 1 ? result[axis] : own, {source, target}});
  }
  if (what.levels.empty()) what.levels.push_back({});
  if (out.layout == Layout::nhwc8) {
    what.valid = result[1];
    what.levels.back().size = stored_channels(out);
  }
  copy(b, in, out, what);
}

const RegisterGpu expand({"Expand", supports, build});
const RegisterGpu tile({"Tile", supports, build});

}  // namespace
}  // namespace vultus::gpu
