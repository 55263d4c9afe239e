#include <fmt/format.h>

#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

/// Work grows with the square of the axis.
constexpr int64_t kMaxLength = 4096;

struct Push {
  uint32_t total, length, inner, k;
};

Support supports(const Graph& graph, const Node& node, const Caps&) {
  const Value& x = graph.value(node.inputs[0]);
  if (x.dtype != DType::f32)
    return Support::no(fmt::format("TopK: no GPU kernel for {}", name_of(x.dtype)));
  if (node.outputs.size() != 2 || node.outputs[0] == kNoValue || node.outputs[1] == kNoValue)
    return Support::no("TopK: an output that is left out");
  if (Support s = plain_tensors(graph, node, true); !s.ok) return s;
  int64_t length = x.shape[from_front(node.integer("axis", -1), x.shape.rank())];
  if (length > kMaxLength)
    return Support::no(fmt::format("TopK: an axis of {} (at most {})", length, kMaxLength));
  return Support::yes();
}

void build(Builder& b, const Node& node) {
  TensorRef in = b.input(node.inputs[0], Layout::linear);
  TensorRef values = b.output(node.outputs[0], Layout::linear);
  TensorRef indices = b.output(node.outputs[1], Layout::linear);
  int axis = from_front(node.integer("axis", -1), in.shape.rank());
  auto stride = static_cast<uint32_t>(in.shape.strides()[axis]);
  Push push{in.elements(), static_cast<uint32_t>(in.shape[axis]), stride,
            static_cast<uint32_t>(values.shape[axis])};
  b.dispatch("top_k", {node.integer("largest", 1) ? 0u : 1u}, push,
             {reads(in), writes(values), writes(indices)}, fold(push.total));
}

const RegisterGpu top_k({"TopK", supports, build});

}  // namespace
}  // namespace vultus::gpu
