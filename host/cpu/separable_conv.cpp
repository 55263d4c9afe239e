#include <algorithm>
#include <optional>

#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"
#include "host/cpu/panels.hpp"
#include "host/cpu/separable.hpp"
#include "host/cpu/simd.hpp"
#include "host/cpu/threads.hpp"
#include "host/cpu/vector_math.hpp"
#include "host/cpu/window.hpp"
#include "host/ops/window.hpp"

namespace vultus::cpu {
namespace {

Window window(const Graph& graph, const Node& node) {
  const Shape& w = graph.shape(node.inputs[1]);
  return window_of(node, {w.begin() + 2, w.end()}, graph.shape(node.inputs[0]),
                   graph.shape(node.outputs[0]));
}

bool is_pointwise(const Graph& graph, const Node& node) {
  const Shape &in = graph.shape(node.inputs[0]), &out = graph.shape(node.outputs[0]);
  return node.integer("group", 1) == 1 && in[2] == out[2] && in[3] == out[3] &&
         resolve_window(node, in, graph.shape(node.inputs[1])).value().is_point();
}

bool is_depthwise(const Graph& graph, const Node& node) {
  const Shape& w = graph.shape(node.inputs[1]);
  const int64_t channels = graph.shape(node.inputs[0])[1];
  if (w[0] != channels || w[1] != 1 || node.integer("group", 1) != channels) return false;
  if (w[2] != w[3] || (w[2] != 3 && w[2] != 5) || channels % kLanes != 0) return false;
  Window size = window(graph, node);
  return size.strides[0] == size.strides[1] && size.strides[0] <= 2 && size.dilations[0] == 0 &&
         size.dilations[1] == 0;
}

Tensor bias_of(const Graph& graph, const Node& node, int64_t channels) {
  if (const Tensor* bias = graph.constant(node.input(2))) return bias->clone();
  Tensor zeros(DType::f32, {channels});
  std::ranges::fill(zeros.as<float>(), 0.0f);
  return zeros;
}

/// [channels, 1, kernel, kernel] as [channels / 16][kernel * kernel][16].
Tensor blocks_of(const Tensor& weights, int64_t channels, int64_t points) {
  Tensor packed(DType::f32, {channels * points});
  auto from = weights.as<float>();
  auto to = packed.as<float>().begin();
  for (int64_t first = 0; first < channels; first += kLanes)
    for (int64_t i = 0; i < points; ++i)
      for (int64_t c = first; c < first + kLanes; ++c)
        *to++ = from[static_cast<size_t>(c * points + i)];
  return packed;
}

Operand flat(Builder& b, Tensor tensor) {
  Desc desc = row_major({tensor.shape().elements()});
  return b.constant(std::move(tensor), desc, desc);
}

}  // namespace

bool has_simple_epilogue(const Graph& graph, const Node& node) {
  if (node.op != "Conv" || node.outputs.size() != 1) return false;
  for (size_t i = 3; i < node.inputs.size(); ++i)
    if (node.inputs[i] != kNoValue) return false;
  return graph.constant(node.inputs[1]) && graph.shape(node.inputs[1]).rank() == 4 &&
         (node.input(2) == kNoValue || graph.constant(node.inputs[2])) &&
         has_vector_form(epilogue_of(node).kind);
}

std::optional<NodeId> separable_partner(const Builder& b, const Node& first) {
  const Graph& graph = b.graph();
  // Sixteen lanes in registers are what the kernel is written for.
  if (!has_wide_vectors() || b.prefers_blocked() || !has_simple_epilogue(graph, first) ||
      !is_pointwise(graph, first))
    return {};
  std::optional<NodeId> next = b.only_reader(first.outputs[0]);
  if (!next) return {};
  const Node& second = b.node(*next);
  if (!has_simple_epilogue(graph, second) || !is_depthwise(graph, second)) return {};
  return next;
}

void build_separable(Builder& b, NodeId id, NodeId partner) {
  const Graph& graph = b.graph();
  const Node &first = b.node(id), &second = b.node(partner);
  const Shape &in = b.shape(first.inputs[0]), &out = b.shape(second.outputs[0]);
  Window size = window(graph, second);
  Separable s{.batch = in[0],
              .depth = in[1],
              .channels = out[1],
              .in_height = in[2],
              .in_width = in[3],
              .out_height = out[2],
              .out_width = out[3],
              .kernel = size.kernel[0],
              .stride = size.strides[0],
              .pad_top = size.begin[0],
              .pad_left = size.begin[1],
              .first_activation = epilogue_of(first).kind,
              .activation = epilogue_of(second).kind,
              .first_slope = epilogue_of(first).alpha,
              .slope = epilogue_of(second).alpha};
  const int64_t threads = team_size();
  s.plan(threads);
  const auto bytes = static_cast<int64_t>(sizeof(float));
  std::vector<Operand> operands = {
      b.input(first.inputs[0], in_family(Family::last, {in.begin(), in.end()})),
      flat(b, panels_of(*graph.constant(first.inputs[1]), s.channels, s.depth, s.depth, 1)),
      flat(b, bias_of(graph, first, s.channels)),
      flat(b, blocks_of(*graph.constant(second.inputs[1]), s.channels, s.kernel * s.kernel)),
      flat(b, bias_of(graph, second, s.channels)),
      b.scratch(threads * s.buffer_floats() * bytes),
      b.output(second.outputs[0], in_family(Family::last, {out.begin(), out.end()}))};
  b.add(id, std::move(operands), [s](std::span<std::byte* const> at) -> Result<void> {
    auto floats = [&](size_t i) { return reinterpret_cast<float*>(at[i]); };
    s.run(floats(0), floats(1), floats(2), floats(3), floats(4), floats(5), floats(6));
    return {};
  });
}

}  // namespace vultus::cpu
