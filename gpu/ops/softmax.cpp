#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

/// From so many elements on, a workgroup shares a row.
constexpr uint32_t kTeamLength = 128;

struct Push {
  uint32_t total, length, padded, valid;
  int32_t step;
  uint32_t rank;
  std::array<uint32_t, kMaxLevels> size;
  std::array<int32_t, kMaxLevels> stride;
};

Support supports(const Graph& graph, const Node& node, const Caps&) {
  return plain_tensors(graph, node, false);
}

void build(Builder& b, const Node& node) {
  const Shape& shape = b.graph().shape(node.inputs[0]);
  int rank = shape.rank();
  bool flattens = node.opset < 13;  // then all axes from `axis` on are one
  int axis = from_front(node.integer("axis", flattens ? 1 : -1), rank);
  int64_t inner = 1;
  for (int d = axis + 1; d < rank; ++d)
    inner *= shape[d];
  flattens = flattens && inner > 1;
  TensorRef in = flattens ? b.input(node.inputs[0], Layout::linear) : as_it_lies(b, node.inputs[0]);
  std::optional<TensorRef> for_host;
  if (in.layout == Layout::linear) for_host = b.host_output(node.outputs[0]);
  TensorRef out = for_host ? *for_host : b.output(node.outputs[0], in.layout);
  std::vector<int64_t> strides = strides_of(in);

  Push push{};
  int64_t length = rank == 0 ? 1 : shape[axis] * (flattens ? inner : 1);
  push.length = static_cast<uint32_t>(length);
  push.padded = push.length;
  push.step = flattens || rank == 0 ? 1 : static_cast<int32_t>(strides[static_cast<size_t>(axis)]);
  Levels rows;
  bool lanes = false;  // the last level holds channels with padding lanes
  for (int d : axes_in_memory(in.layout, rank)) {
    bool channels = in.layout == Layout::nhwc8 && d == 1;
    if (d == axis) {
      if (channels) push.padded = in.groups() * 8;
      continue;
    }
    if (flattens && d > axis) continue;
    lanes = lanes || channels;
    rows.push_back({channels ? stored_channels(in) : shape[d], {strides[static_cast<size_t>(d)]}});
  }
  merge(rows, lanes);
  push.valid = lanes ? in.c() : static_cast<uint32_t>(rows.back().size);
  push.rank = static_cast<uint32_t>(rows.size());
  push.size = sizes_of(rows);
  push.stride = strides_of(rows, 0);
  uint64_t total = 1;
  for (const Level& level : rows)
    total *= static_cast<uint64_t>(level.size);
  push.total = static_cast<uint32_t>(total);
  bool team = push.length >= kTeamLength;
  b.dispatch("softmax", {node.op == "LogSoftmax" ? 1u : 0u, team ? 1u : 0u, out.raw ? 1u : 0u},
             push, {reads(in), writes(out)}, fold(team ? total * 64 : total));
}

const RegisterGpu softmax({"Softmax", supports, build});
const RegisterGpu log_softmax({"LogSoftmax", supports, build});

}  // namespace
}  // namespace vultus::gpu
