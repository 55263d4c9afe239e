#include "gpu/ops/elementwise.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t total, rank;
  uint32_t channels, groups;  // of the output: lanes at and beyond `channels` are zero
  uint32_t splats;            // bit i: operand i is one scalar for all 8 lanes
  float alpha, beta;
  std::array<uint32_t, kMaxLevels> size;
  std::array<std::array<int32_t, kMaxLevels>, 3> stride;
};

/// Size of `shape` along axis `axis` of a result of rank `rank` it is broadcast to.
int64_t size_along(const Shape& shape, int axis, int rank) {
  int own = axis - (rank - shape.rank());
  return own < 0 ? 1 : shape[own];
}

}  // namespace

std::vector<int64_t> broadcast_strides(const TensorRef& t, const Shape& result) {
  std::vector<int64_t> own = strides_of(t), strides;
  int skipped = result.rank() - t.shape.rank();
  for (int i = 0; i < result.rank(); ++i)
    strides.push_back(
        size_along(t.shape, i, result.rank()) == 1 ? 0 : own[static_cast<size_t>(i - skipped)]);
  return strides;
}

bool splat_channels(const Shape& shape, const Shape& result) {
  return size_along(shape, 1, result.rank()) == 1;
}

bool choose_nhwc8(Builder& b, const Value& value, const std::vector<ValueId>& operands) {
  if (!fits_nhwc8(value)) return false;
  const Shape& result = value.shape;
  bool any = false;
  for (ValueId id : operands) {
    const Value& v = b.graph().value(id);
    if (is_integer(v.dtype)) return false;
    if (v.shape.rank() != result.rank() && !splat_channels(v.shape, result)) return false;
    any = any || (!v.constant && b.layout_of(id) == Layout::nhwc8);
  }
  return any;
}

// A single level may end within its last group: buffers are padded to whole groups.
bool widen(Levels& levels, size_t operands, uint32_t& splats) {
  Level& last = levels.back();
  if (last.size % 8 && levels.size() > 1) return false;
  for (size_t k = 0; k < operands; ++k) {
    if (last.stride[k] == 0) continue;
    if (last.stride[k] != 1) return false;
    for (size_t i = 0; i + 1 < levels.size(); ++i)
      if (levels[i].stride[k] % 8) return false;
  }
  last.size = (last.size + 7) / 8;
  for (size_t k = 0; k < operands; ++k) {
    if (last.stride[k] == 0) {
      splats |= 1u << k;
      continue;
    }
    for (size_t i = 0; i + 1 < levels.size(); ++i)
      levels[i].stride[k] /= 8;
  }
  return true;
}

void elementwise(Builder& b, const Node& node, const Elementwise& what) {
  const Shape& result = b.graph().shape(node.outputs[0]);
  size_t operands = node.inputs.size();
  bool nhwc8 = choose_nhwc8(b, b.graph().value(node.outputs[0]), node.inputs);
  std::vector<TensorRef> in;
  std::vector<std::vector<int64_t>> strides;
  Push push{};
  for (size_t k = 0; k < operands; ++k) {
    ValueId id = node.inputs[k];
    const Shape& shape = b.graph().shape(id);
    if (!nhwc8)
      in.push_back(b.input(id, Layout::linear));
    else if (splat_channels(shape, result))
      in.push_back(as_it_lies(b, id));
    else
      in.push_back(b.input(id, Layout::nhwc8));
    strides.push_back(broadcast_strides(in[k], result));
  }
  TensorRef out = b.output(node.outputs[0], nhwc8 ? Layout::nhwc8 : Layout::linear);

  Levels levels;
  for (int axis : axes_in_memory(out.layout, result.rank())) {
    auto i = static_cast<size_t>(axis);
    Level level{.size = result[axis]};
    for (size_t k = 0; k < operands; ++k)
      level.stride[k] = strides[k][i];
    if (nhwc8 && axis == 1) level.size = stored_channels(out);
    levels.push_back(level);
  }
  if (nhwc8) {
    // A channel stride of 0 or 1 and pixels of whole groups: always widens.
    push.channels = out.c();
    push.groups = out.groups();
  } else {
    push.channels = 8;
    push.groups = 1;
  }
  merge(levels);
  bool words = false;
  for (const TensorRef& t : in)
    words = words || is_integer(t.dtype);
  bool wide = !words && widen(levels, operands, push.splats);
  uint64_t total = 1;
  for (const Level& level : levels)
    total *= static_cast<uint64_t>(level.size);
  push.total = static_cast<uint32_t>(total);
  push.rank = static_cast<uint32_t>(levels.size());
  push.alpha = what.alpha;
  push.beta = what.beta;
  push.size = sizes_of(levels);
  for (size_t k = 0; k < operands; ++k)
    push.stride[k] = strides_of(levels, k);

  std::vector<uint32_t> spec{wide ? 1u : 0u};
  spec.insert(spec.end(), what.spec.begin(), what.spec.end());
  std::vector<Binding> bindings;
  for (const TensorRef& t : in)
    bindings.push_back(reads(t));
  bindings.push_back(writes(out));
  b.dispatch(what.kernel, spec, push, bindings, fold(total));
}

Support broadcasts(const Graph& graph, const Node& node) {
  if (Support s = plain_tensors(graph, node, true); !s.ok) return s;
  for (ValueId id : node.inputs) {
    const Value& v = graph.value(id);
    if (!has_device_form(v.dtype))
      return Support::no(fmt::format("{}: no GPU kernel for {}", node.op, name_of(v.dtype)));
  }
  return Support::yes();
}

}  // namespace vultus::gpu
