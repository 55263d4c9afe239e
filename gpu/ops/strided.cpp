#include "gpu/ops/strided.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <span>

namespace vultus::gpu {
namespace {

/// What a thread moves: one scalar of the storage type, a group of 8, or a 32-bit word. Numbers of
/// shaders/common/move.glsl.
enum Unit : uint32_t { kScalar, kGroup, kWord };
/// Added to the unit: the source is in the host's form.
constexpr uint32_t kFromRaw = 4;
/// Parts of a dispatch that do not move alike.
constexpr uint32_t kMixed = 8;

struct CopyPush {
  uint32_t total, rank, valid;
  int32_t from, to;
  std::array<uint32_t, kMaxLevels> size;
  std::array<int32_t, kMaxLevels> source, target;
};

/// An entry of the table of shaders/concat.comp.
struct PartRow {
  uint32_t first_thread, mode;
  CopyPush copy;
};

/// Whether the copy can move `n` elements at a time; divides its strides by `n` when it can.
bool in_units(Copy& what, int64_t n, bool source_padded) {
  Level& last = what.levels.back();
  if (last.size % n || last.stride[0] != 1 || last.stride[1] != 1 || what.from % n || what.to % n)
    return false;
  if (what.valid % n && !source_padded) return false;  // the last unit would read what follows
  for (size_t i = 0; i + 1 < what.levels.size(); ++i)
    if (what.levels[i].stride[0] % n || what.levels[i].stride[1] % n) return false;
  last.size /= n;
  for (size_t i = 0; i + 1 < what.levels.size(); ++i)
    for (size_t operand : {0u, 1u})
      what.levels[i].stride[operand] /= n;
  what.from /= n;
  what.to /= n;
  return true;
}

/// Merges levels and chooses the unit.
uint32_t prepare(Copy& what, const TensorRef& source) {
  if (what.valid < 0) what.valid = what.levels.back().size;
  bool whole = what.valid == what.levels.back().size;
  merge(what.levels, !whole);
  if (whole) what.valid = what.levels.back().size;
  if (is_integer(source.dtype)) return kWord;
  uint32_t raw = source.raw ? kFromRaw : 0;
  return raw + (in_units(what, 8, source.layout == Layout::nhwc8) ? kGroup : kScalar);
}

CopyPush push_of(const Copy& what) {
  uint64_t total = 1;
  for (const Level& level : what.levels)
    total *= static_cast<uint64_t>(level.size);
  return {static_cast<uint32_t>(total),      static_cast<uint32_t>(what.levels.size()),
          static_cast<uint32_t>(what.valid), static_cast<int32_t>(what.from),
          static_cast<int32_t>(what.to),     sizes_of(what.levels),
          strides_of(what.levels, 0),        strides_of(what.levels, 1)};
}

/// One dispatch for at most `kMostSources` parts.
void copy_some(Builder& b, std::span<Part> parts, const TensorRef& target) {
  if (parts.size() == 1) return copy(b, parts[0].source, target, parts[0].what);
  constexpr uint32_t kTeam = 64;  // a workgroup serves one part
  std::vector<int32_t> table;
  std::vector<Binding> bindings;
  uint32_t threads = 0;
  std::optional<uint32_t> mode;
  for (Part& part : parts) {
    PartRow row{.first_thread = threads, .mode = prepare(part.what, part.source), .copy = {}};
    row.copy = push_of(part.what);
    mode = !mode || *mode == row.mode ? row.mode : kMixed;
    threads += (row.copy.total + kTeam - 1) / kTeam * kTeam;
    auto words = std::bit_cast<std::array<int32_t, sizeof(PartRow) / 4>>(row);
    table.insert(table.end(), words.begin(), words.end());
    bindings.push_back(reads(part.source));
  }
  while (bindings.size() < kMostSources)
    bindings.push_back(bindings[0]);
  bindings.push_back({b.integers(table), Access::read});
  bindings.push_back(writes(target));
  b.dispatch("concat", {*mode, target.raw ? 1u : 0u}, static_cast<uint32_t>(parts.size()), bindings,
             fold(threads));
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
  uint32_t mode = prepare(what, source);
  CopyPush push = push_of(what);
  b.dispatch("copy", {mode, target.raw ? 1u : 0u}, push, {reads(source), writes(target)},
             fold(push.total));
}

void copy_all(Builder& b, std::vector<Part> parts, const TensorRef& target) {
  for (std::span<Part> left = parts; !left.empty();) {
    size_t n = std::min(left.size(), kMostSources);
    copy_some(b, left.first(n), target);
    left = left.subspan(n);
  }
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

bool can_fill(const View& from, Layout layout) {
  if (layout == Layout::linear) return true;
  size_t levels = from.axes[1].empty() ? 1 : 0;  // one channel is a level of its own: it is padded
  for (const auto& axis : from.axes)
    levels += axis.size();
  return levels <= kMaxLevels && (from.shape[1] % 8 == 0 || from.axes[1].size() < 2);
}

Copy copy_of(const View& from, const TensorRef& target, bool pad) {
  const bool padded_source = from.source.layout == Layout::nhwc8;
  Copy what{.levels = {}, .from = from.offset};
  std::vector<int64_t> to_strides = strides_of(target);
  for (int axis : axes_in_memory(target.layout, from.shape.rank())) {
    auto i = static_cast<size_t>(axis);
    int64_t inner = from.shape[axis];
    for (const View::Run& run : from.axes[i]) {
      inner /= run.size;
      what.levels.push_back({run.size, {run.stride, to_strides[i] * inner}});
    }
    if (from.axes[i].empty()) what.levels.push_back({1, {padded_source ? 1 : 0, to_strides[i]}});
  }
  if (what.levels.empty()) what.levels.push_back({});
  if (target.layout != Layout::nhwc8 || !pad || from.shape[1] % 8 == 0) return what;
  what.levels.back().size = (from.shape[1] + 7) / 8 * 8;
  // Channels up to the source's last one end in its own padding lanes, which are zero.
  int64_t first = padded_source ? from.offset % stored_channels(from.source) : 0;
  bool zero_lanes = padded_source && what.levels.back().stride[0] == 1 && first % 8 == 0 &&
                    first + from.shape[1] == from.source.c();
  what.valid = zero_lanes ? -1 : from.shape[1];
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
