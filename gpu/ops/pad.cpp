#include <fmt/format.h>

#include <bit>
#include <optional>

#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t total, rank, valid, value;
  std::array<uint32_t, kMaxLevels> size;
  std::array<int32_t, kMaxLevels> source, stride, begin;
};

/// The constant value of a Pad as the kernel's 32 bits; nothing when it is not known yet.
std::optional<uint32_t> fill_of(const Graph& graph, const Node& node) {
  ValueId id = node.opset < 11 ? kNoValue : node.input(2);
  if (id == kNoValue) return std::bit_cast<uint32_t>(node.real("value", 0));
  const Tensor* t = graph.constant(id);
  if (!t) return std::nullopt;
  switch (t->dtype()) {
    case DType::f32:
      return std::bit_cast<uint32_t>(t->as<float>()[0]);
    case DType::boolean:
      return std::bit_cast<uint32_t>(t->as<bool>()[0] ? 1.0f : 0.0f);
    case DType::i32:
      return static_cast<uint32_t>(t->as<int32_t>()[0]);
    case DType::i64:
      return static_cast<uint32_t>(t->as<int64_t>()[0]);
    default:
      return std::nullopt;
  }
}

std::optional<uint32_t> mode_of(const Node& node) {
  std::string mode = node.text("mode", "constant");
  if (mode == "constant") return 0;
  if (mode == "edge") return 1;
  if (mode == "reflect") return 2;
  return std::nullopt;
}

Support supports(const Graph& graph, const Node& node, const Caps&) {
  if (Support s = plain_tensors(graph, node, true); !s.ok) return s;
  if (graph.shape(node.inputs[0]).elements() == 0) return Support::no("Pad: the input is empty");
  if (!mode_of(node))
    return Support::no(fmt::format("Pad: mode '{}'", node.text("mode", "constant")));
  if (!fill_of(graph, node)) return Support::no("Pad: the value is computed at run time");
  return Support::yes();
}

/// Padding before each axis.
std::vector<int64_t> begins(const Graph& graph, const Node& node) {
  int rank = graph.shape(node.inputs[0]).rank();
  std::vector<int64_t> list =
      node.opset < 11 ? node.integers("pads") : constant_integers(graph, node.input(1));
  std::vector<int64_t> axes = constant_integers(graph, node.input(3));
  std::vector<int64_t> begin(static_cast<size_t>(rank), 0);
  for (size_t i = 0; i < list.size() / 2; ++i) {
    int axis = from_front(axes.empty() ? static_cast<int64_t>(i) : axes[i], rank);
    begin[static_cast<size_t>(axis)] = list[i];
  }
  return begin;
}

void build(Builder& b, const Node& node) {
  const Shape& result = b.graph().shape(node.outputs[0]);
  TensorRef in = as_it_lies(b, node.inputs[0]);
  TensorRef out = b.output(node.outputs[0], in.layout);
  std::vector<int64_t> begin = begins(b.graph(), node), strides = strides_of(in);
  bool groups = in.layout == Layout::nhwc8 && begin[1] == 0 && in.shape[1] == result[1];
  uint32_t unit = is_integer(in.dtype) ? 2 : groups ? 1 : 0;
  int64_t width = groups ? 8 : 1;

  Push push{};
  push.valid = 1;
  push.value = fill_of(b.graph(), node).value_or(0);
  push.size.fill(1);
  push.source.fill(1);
  uint64_t total = 1;
  for (int axis : axes_in_memory(out.layout, result.rank())) {
    auto i = static_cast<size_t>(axis);
    bool channels = out.layout == Layout::nhwc8 && axis == 1;
    int64_t size = channels ? stored_channels(out) / width : result[axis];
    int64_t stride = channels ? 1 : strides[i] / width;
    push.size[push.rank] = static_cast<uint32_t>(size);
    push.source[push.rank] = static_cast<int32_t>(channels && groups ? size : in.shape[axis]);
    push.stride[push.rank] = static_cast<int32_t>(stride);
    push.begin[push.rank] = static_cast<int32_t>(begin[i]);
    push.valid = static_cast<uint32_t>(channels ? result[axis] : size);
    total *= static_cast<uint64_t>(size);
    ++push.rank;
  }
  push.total = static_cast<uint32_t>(total);
  b.dispatch("pad", {unit, mode_of(node).value_or(0)}, push, {reads(in), writes(out)}, fold(total));
}

const RegisterGpu pad({"Pad", supports, build});

}  // namespace
}  // namespace vultus::gpu
