#include <fmt/format.h>

#include <algorithm>

#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

constexpr size_t kLevels = 4;
/// From so many elements on, a workgroup shares an output.
constexpr uint64_t kTeamCount = 256;

struct Push {
  uint32_t total, count, channels, groups, kept_rank, gone_rank, last;
  std::array<uint32_t, kLevels> kept_size;
  std::array<int32_t, kLevels> kept_stride;
  std::array<uint32_t, kLevels> gone_size;
  std::array<int32_t, kLevels> gone_stride;
};

/// The number is the kernel's kOp.
struct Kind {
  std::string_view name;
  uint32_t number;
  int axes_input_since = 18;  ///< opset that made the axes an input
};
constexpr std::array kKinds{
    Kind{"ReduceSum", 0, 13},   Kind{"ReduceMean", 1},      Kind{"ReduceMax", 2},
    Kind{"ReduceMin", 3},       Kind{"ReduceProd", 4},      Kind{"ReduceL1", 5},
    Kind{"ReduceL2", 6},        Kind{"ReduceSumSquare", 7}, Kind{"ReduceLogSum", 8},
    Kind{"ReduceLogSumExp", 9}, Kind{"ArgMax", 10},         Kind{"ArgMin", 11},
};

const Kind& kind_of(const Node& node) {
  return *std::ranges::find(kKinds, node.op, &Kind::name);
}

bool is_arg(const Node& node) {
  return kind_of(node).number >= 10;
}

/// Which axes go.
std::vector<bool> gone_axes(const Graph& graph, const Node& node) {
  int rank = graph.shape(node.inputs[0]).rank();
  std::vector<int64_t> list;
  bool input = node.opset >= kind_of(node).axes_input_since;
  if (is_arg(node))
    list = {node.integer("axis", 0)};
  else
    list = input ? constant_integers(graph, node.input(1)) : node.integers("axes");
  bool all = list.empty() && !(input && node.integer("noop_with_empty_axes", 0));
  std::vector<bool> gone(static_cast<size_t>(rank), all);
  for (int64_t axis : list)
    gone[static_cast<size_t>(from_front(axis, rank))] = true;
  return gone;
}

struct Loops {
  Levels kept, gone;
};

/// Outputs follow `order`.
Loops loops_of(const Shape& shape, const std::vector<int64_t>& strides,
               const std::vector<bool>& gone, const std::vector<int>& order) {
  Loops loops;
  for (int axis : order) {
    auto i = static_cast<size_t>(axis);
    (gone[i] ? loops.gone : loops.kept).push_back({shape[axis], {strides[i]}});
  }
  merge(loops.kept);
  merge(loops.gone);
  return loops;
}

Support supports(const Graph& graph, const Node& node, const Caps&) {
  const Value& x = graph.value(node.inputs[0]);
  if (is_integer(x.dtype))
    return Support::no(fmt::format("{}: no GPU kernel for integers", node.op));
  if (Support s = plain_tensors(graph, node, true); !s.ok) return s;
  if (x.shape.elements() == 0) return Support::no(fmt::format("{}: the input is empty", node.op));
  Shape strides = x.shape.strides();
  Loops loops = loops_of(x.shape, {strides.begin(), strides.end()}, gone_axes(graph, node),
                         axes_in_memory(Layout::linear, x.shape.rank()));
  if (loops.kept.size() > kLevels || loops.gone.size() > kLevels)
    return Support::no(fmt::format("{}: axes alternate too often", node.op));
  // Indices travel as floats.
  if (is_arg(node) && x.shape.elements() >= 1 << 24)
    return Support::no(fmt::format("{}: {} elements (below 2^24)", node.op, x.shape.elements()));
  return Support::yes();
}

uint64_t put(const Levels& levels, std::array<uint32_t, kLevels>& sizes,
             std::array<int32_t, kLevels>& strides) {
  sizes.fill(1);
  uint64_t total = 1;
  for (size_t i = 0; i < levels.size(); ++i) {
    sizes[i] = static_cast<uint32_t>(levels[i].size);
    strides[i] = static_cast<int32_t>(levels[i].stride[0]);
    total *= sizes[i];
  }
  return total;
}

void build(Builder& b, const Node& node) {
  const Shape& result = b.graph().shape(node.outputs[0]);
  TensorRef in = as_it_lies(b, node.inputs[0]);
  int rank = in.shape.rank();
  std::vector<bool> gone = gone_axes(b.graph(), node);
  // Groups of channels stay groups when the result can lie as nhwc8 in the same order.
  bool pixels_go = rank == 4 && gone == std::vector<bool>{false, false, true, true};
  bool wide = in.layout == Layout::nhwc8 && !gone[1] && !is_arg(node) &&
              (result.rank() == rank || pixels_go);
  std::vector<int64_t> strides = strides_of(in);
  Push push{};
  Shape shape = in.shape;
  if (wide) {
    push.channels = in.c();
    push.groups = in.groups();
    shape[1] = push.groups;
    for (size_t i = 0; i < strides.size(); ++i)
      if (i != 1) strides[i] /= 8;
  }
  TensorRef out = b.output(node.outputs[0], wide ? Layout::nhwc8 : Layout::linear);
  Loops loops = loops_of(shape, strides, gone, axes_in_memory(out.layout, rank));
  uint64_t total = put(loops.kept, push.kept_size, push.kept_stride);
  uint64_t count = put(loops.gone, push.gone_size, push.gone_stride);
  push.total = static_cast<uint32_t>(total);
  push.count = static_cast<uint32_t>(count);
  push.kept_rank = static_cast<uint32_t>(loops.kept.size());
  push.gone_rank = static_cast<uint32_t>(loops.gone.size());
  push.last = node.integer("select_last_index", 0) != 0 ? 1 : 0;
  bool team = count >= kTeamCount;
  b.dispatch("reduce", {kind_of(node).number, wide ? 1u : 0u, team ? 1u : 0u}, push,
             {reads(in), writes(out)}, fold(team ? total * 128 : total));
}

[[maybe_unused]] const bool registered = [] {
  for (const Kind& kind : kKinds)
    RegisterGpu({kind.name, supports, build});
  return true;
}();

}  // namespace
}  // namespace vultus::gpu
