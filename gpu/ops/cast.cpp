#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t total;
};

Support supports(const Graph& graph, const Node& node, const Caps&) {
  return plain_tensors(graph, node, true);
}

void build(Builder& b, const Node& node) {
  DType from = b.graph().value(node.inputs[0]).dtype, to = b.graph().value(node.outputs[0]).dtype;
  bool from_integer = is_integer(from), to_integer = is_integer(to);
  // Booleans are numbers already, and i64 is i32 on the device.
  if (from == to || (from_integer && to_integer) || (from == DType::boolean && !to_integer)) {
    b.alias(node.outputs[0], as_it_lies(b, node.inputs[0]));
    return;
  }
  bool integers = from_integer || to_integer;
  TensorRef in = integers ? b.input(node.inputs[0], Layout::linear) : as_it_lies(b, node.inputs[0]);
  TensorRef out = b.output(node.outputs[0], in.layout);
  uint32_t target = to_integer ? 1 : to == DType::boolean ? 2 : 0;
  // Zero stays zero, so padding lanes may go through.
  uint32_t total = in.elements();
  if (in.layout == Layout::nhwc8) total = in.n() * in.h() * in.w() * in.groups() * 8;
  b.dispatch("cast", {from_integer ? 1u : 0u, target}, Push{total}, {reads(in), writes(out)},
             fold(total));
}

const RegisterGpu cast({"Cast", supports, build});

}  // namespace
}  // namespace vultus::gpu
