#include <algorithm>

#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"
#include "host/cpu/stem.hpp"
#include "host/cpu/vector_math.hpp"
#include "host/cpu/window.hpp"

namespace vultus::cpu {
namespace {

Window window(const Builder& b, const Node& node) {
  const Shape& w = b.shape(node.inputs[1]);
  return window_of(node, {w[2], w[3]}, b.shape(node.inputs[0]), b.shape(node.outputs[0]));
}

/// [outputs, points] with the outputs last; zeros for an absent bias.
Tensor outputs_last(const Tensor* from, int64_t points) {
  Tensor packed(DType::f32, {points * Stem::kOutputs});
  auto to = packed.as<float>();
  std::ranges::fill(to, 0.0f);
  if (!from) return packed;
  auto w = from->as<float>();
  for (int64_t o = 0; o < Stem::kOutputs; ++o)
    for (int64_t i = 0; i < points; ++i)
      to[static_cast<size_t>(i * Stem::kOutputs + o)] = w[static_cast<size_t>(o * points + i)];
  return packed;
}

Operand flat(Builder& b, Tensor tensor) {
  Desc desc = row_major({tensor.shape().elements()});
  return b.constant(std::move(tensor), desc, desc);
}

}  // namespace

bool fits_stem(const Builder& b, const Node& node) {
  if (!has_wide_vectors() || b.prefers_blocked() || !has_simple_epilogue(b.graph(), node) ||
      node.integer("group", 1) != 1)
    return false;
  // A few channels that lie row-major, to two registers of outputs.
  if (b.shape(node.inputs[0])[1] > 4 || b.shape(node.inputs[1])[0] != Stem::kOutputs) return false;
  if (family_of(b.layout(node.inputs[0])) != Family::plain) return false;
  Window size = window(b, node);
  return size.strides[0] == size.strides[1] && size.dilations[0] == 0 && size.dilations[1] == 0;
}

void build_stem(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  const Shape &in = b.shape(node.inputs[0]), &out = b.shape(node.outputs[0]);
  const Shape& w = b.shape(node.inputs[1]);
  Window size = window(b, node);
  Stem s{.batch = in[0],
         .channels = in[1],
         .in_height = in[2],
         .in_width = in[3],
         .out_height = out[2],
         .out_width = out[3],
         .kernel_height = w[2],
         .kernel_width = w[3],
         .stride = size.strides[0],
         .pad_top = size.begin[0],
         .pad_left = size.begin[1],
         .activation = epilogue_of(node).kind,
         .slope = epilogue_of(node).alpha};
  const Graph& graph = b.graph();
  std::vector<Operand> operands = {
      b.plain(node.inputs[0]),
      flat(b, outputs_last(graph.constant(node.inputs[1]), w.elements() / Stem::kOutputs)),
      flat(b, outputs_last(graph.constant(node.input(2)), 1)),
      b.output(node.outputs[0], in_family(Family::last, {out.begin(), out.end()}))};
  b.add(id, std::move(operands), [s](std::span<std::byte* const> at) -> Result<void> {
    auto floats = [&](size_t i) { return reinterpret_cast<float*>(at[i]); };
    s.run(floats(0), floats(1), floats(2), floats(3));
    return {};
  });
}

}  // namespace vultus::cpu
