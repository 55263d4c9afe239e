#include "gpu/ops/strided.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace vultus::gpu {
namespace {

enum Unit : uint32_t { kScalar, kGroup, kWord };

struct CopyPush {
  uint32_t total, rank, valid;
  int32_t from, to;
  std::array<uint32_t, kMaxLevels> size;
  std::array<int32_t, kMaxLevels> source, target;
};

/// Whether the copy can move 8 elements at a time; divides its strides by 8 when it can.
bool in_groups(Copy& what, bool source_padded) {
  Level& last = what.levels.back();
  if (last.size % 8 || last.stride[0] != 1 || last.stride[1] != 1 || what.from % 8 || what.to % 8)
    return false;
  if (what.valid % 8 && !source_padded) return false;  // the last group would read what follows
  for (size_t i = 0; i + 1 < what.levels.size(); ++i)
    if (what.levels[i].stride[0] % 8 || what.levels[i].stride[1] % 8) return false;
  last.size /= 8;
  for (size_t i = 0; i + 1 < what.levels.size(); ++i)
    for (size_t operand : {0u, 1u})
      what.levels[i].stride[operand] /= 8;
  what.from /= 8;
  what.to /= 8;
  return true;
}

}  // namespace

std::vector<int64_t> strides_of(const TensorRef& t) {
  if (t.layout == Layout::nhwc8) {
    int64_t c = stored_channels(t);
    if (t.shape.rank() == 2) return {c, 1};
    return {t.shape[2] * t.shape[3] * c, 1, t.shape[3] * c, c};
  }
  Shape strides = t.shape.strides();
  return {strides.begin(), strides.end()};
}

std::vector<int> axes_in_memory(Layout layout, int rank) {
  if (layout == Layout::nhwc8 && rank == 4) return {0, 2, 3, 1};
  std::vector<int> axes;
  for (int i = 0; i < rank; ++i)
    axes.push_back(i);
  return axes;
}

void merge(Levels& levels, bool keep_last) {
  Levels merged;
  for (size_t i = 0; i < levels.size(); ++i) {
    const Level& inner = levels[i];
    bool kept = keep_last && i + 1 == levels.size();
    if (inner.size == 1 && !kept) continue;
    bool joins = !merged.empty() && !kept;
    for (size_t k = 0; joins && k < inner.stride.size(); ++k)
      joins = merged.back().stride[k] == inner.stride[k] * inner.size;
    if (joins) {
      merged.back().size *= inner.size;
      merged.back().stride = inner.stride;
    } else {
      merged.push_back(inner);
    }
  }
  if (merged.empty()) merged.push_back({});
  levels = std::move(merged);
}

std::array<uint32_t, 3> fold(uint64_t threads) {
  constexpr uint64_t kRow = 1u << 21;  // as in common/index.glsl
  return {static_cast<uint32_t>(std::min(threads, kRow)),
          static_cast<uint32_t>((threads + kRow - 1) / kRow), 1};
}

std::array<uint32_t, kMaxLevels> sizes_of(const Levels& levels) {
  assert(levels.size() <= kMaxLevels);
  std::array<uint32_t, kMaxLevels> sizes;
  sizes.fill(1);
  for (size_t i = 0; i < levels.size(); ++i)
    sizes[i] = static_cast<uint32_t>(levels[i].size);
  return sizes;
}

std::array<int32_t, kMaxLevels> strides_of(const Levels& levels, size_t operand) {
  assert(levels.size() <= kMaxLevels);
  std::array<int32_t, kMaxLevels> strides{};
  for (size_t i = 0; i < levels.size(); ++i)
    strides[i] = static_cast<int32_t>(levels[i].stride[operand]);
  return strides;
}

void copy(Builder& b, const TensorRef& source, const TensorRef& target, Copy what) {
  if (what.valid < 0) what.valid = what.levels.back().size;
  bool whole = what.valid == what.levels.back().size;
  merge(what.levels, !whole);
  if (whole) what.valid = what.levels.back().size;
  uint32_t unit = kScalar;
  if (is_integer(target.dtype))
    unit = kWord;
  else if (in_groups(what, source.layout == Layout::nhwc8))
    unit = kGroup;
  uint64_t total = 1;
  for (const Level& level : what.levels)
    total *= static_cast<uint64_t>(level.size);
  CopyPush push{static_cast<uint32_t>(total),      static_cast<uint32_t>(what.levels.size()),
                static_cast<uint32_t>(what.valid), static_cast<int32_t>(what.from),
                static_cast<int32_t>(what.to),     sizes_of(what.levels),
                strides_of(what.levels, 0),        strides_of(what.levels, 1)};
  b.dispatch("copy", {unit}, push, {reads(source), writes(target)}, fold(total));
}

Copy copy_of(const Shape& shape, const std::vector<int64_t>& from_strides, const TensorRef& target,
             bool pad) {
  Copy what;
  std::vector<int64_t> to_strides = strides_of(target);
  for (int axis : axes_in_memory(target.layout, shape.rank())) {
    auto i = static_cast<size_t>(axis);
    what.levels.push_back({shape[axis], {from_strides[i], to_strides[i]}});
  }
  if (what.levels.empty()) what.levels.push_back({});
  if (target.layout == Layout::nhwc8 && pad) {
    what.valid = shape[1];
    what.levels.back().size = (shape[1] + 7) / 8 * 8;
  }
  return what;
}

TensorRef as_it_lies(Builder& b, ValueId value) {
  return b.input(value, b.layout_of(value));
}

std::vector<int64_t> constant_integers(const Graph& graph, ValueId value) {
  const Tensor* t = graph.constant(value);
  if (t && t->dtype() == DType::i64) return {t->as<int64_t>().begin(), t->as<int64_t>().end()};
  if (t && t->dtype() == DType::i32) return {t->as<int32_t>().begin(), t->as<int32_t>().end()};
  return {};
}

Support plain_tensors(const Graph& graph, const Node& node, bool integers) {
  auto check = [&](ValueId id) -> Support {
    if (id == kNoValue) return Support::yes();
    const Value& v = graph.value(id);
    if (!has_device_form(v.dtype) || (is_integer(v.dtype) && !integers))
      return Support::no(fmt::format("{}: no GPU kernel for {}", node.op, name_of(v.dtype)));
    if (v.shape.elements() == 0)
      return Support::no(fmt::format("{}: a tensor without elements", node.op));
    if (v.shape.rank() > static_cast<int>(kMaxLevels))
      return Support::no(
          fmt::format("{}: rank {} (at most {})", node.op, v.shape.rank(), kMaxLevels));
    return Support::yes();
  };
  for (ValueId id : node.outputs)
    if (Support s = check(id); !s.ok) return s;
  return node.inputs.empty() ? Support::yes() : check(node.inputs[0]);
}

}  // namespace vultus::gpu
