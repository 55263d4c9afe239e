#include <fmt/format.h>

#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t total, rank, axis;
  int32_t length;
  std::array<uint32_t, kMaxLevels> size;
  std::array<int32_t, kMaxLevels> stride;
};

Support supports(const Graph& graph, const Node& node, const Caps&) {
  if (Support s = plain_tensors(graph, node, true); !s.ok) return s;
  const Shape& x = graph.shape(node.inputs[0]);
  // A scalar index drops an axis of the result but still takes a level.
  if (x.rank() > static_cast<int>(kMaxLevels))
    return Support::no(fmt::format("Gather: rank {} (at most {})", x.rank(), kMaxLevels));
  int axis = from_front(node.integer("axis", 0), x.rank());
  for (int64_t i : constant_integers(graph, node.inputs[1]))
    if (i < -x[axis] || i >= x[axis])
      return Support::no(fmt::format("Gather: index {} is out of range for {}", i, x[axis]));
  return Support::yes();
}

void build(Builder& b, const Node& node) {
  TensorRef in = as_it_lies(b, node.inputs[0]);
  TensorRef indices = b.input(node.inputs[1], Layout::linear);
  TensorRef out = b.output(node.outputs[0], Layout::linear);
  int axis = from_front(node.integer("axis", 0), in.shape.rank());
  std::vector<int64_t> strides = strides_of(in);
  Push push{};
  push.total = out.elements();
  push.length = static_cast<int32_t>(in.shape[axis]);
  push.axis = static_cast<uint32_t>(axis);
  push.rank = static_cast<uint32_t>(in.shape.rank());
  push.size.fill(1);
  for (int d = 0; d < in.shape.rank(); ++d) {
    auto i = static_cast<size_t>(d);
    push.size[i] = d == axis ? indices.elements() : static_cast<uint32_t>(in.shape[d]);
    push.stride[i] = static_cast<int32_t>(strides[i]);
  }
  b.dispatch("gather", {is_integer(in.dtype) ? 1u : 0u}, push,
             {reads(in), reads(indices), writes(out)}, fold(push.total));
}

const RegisterGpu gather({"Gather", supports, build});

}  // namespace
}  // namespace vultus::gpu
