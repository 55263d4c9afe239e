#include <fmt/format.h>

#include <cstring>

#include "host/core/parallel.hpp"
#include "host/ops/op.hpp"

namespace vultus {
namespace {

struct Pads {
  std::vector<int64_t> begin, end;  ///< per axis
};

// `list` as in the node; `axes` (opset 18) says which axes it covers.
Result<Pads> resolve(const Node& node, const Shape& x, const std::vector<int64_t>& list,
                     const std::vector<int64_t>& axes) {
  const size_t rank = static_cast<size_t>(x.rank());
  const size_t covered = axes.empty() ? rank : axes.size();
  if (list.size() != 2 * covered)
    return fail(node,
                fmt::format("{} pads for {} axes, expected {}", list.size(), covered, 2 * covered));
  const std::string mode = node.text("mode", "constant");
  const bool wraps = mode == "wrap" && node.opset >= 19;
  if (mode != "constant" && mode != "reflect" && mode != "edge" && !wraps)
    return fail(node, fmt::format("mode '{}' is not supported (constant, reflect, edge are, and "
                                  "wrap from opset 19 on)",
                                  mode));
  Pads pads{std::vector<int64_t>(rank, 0), std::vector<int64_t>(rank, 0)};
  for (size_t i = 0; i < covered; ++i) {
    int64_t axis = axes.empty() ? static_cast<int64_t>(i) : axes[i];
    if (axis < -x.rank() || axis >= x.rank())
      return fail(node, fmt::format("axis {} is out of range for rank {}", axis, rank));
    const auto d = static_cast<size_t>(axis < 0 ? axis + x.rank() : axis);
    const int64_t begin = list[i], end = list[i + covered], size = x[static_cast<int>(d)];
    constexpr int64_t kFar = int64_t{1} << 40;
    if (begin > kFar || end > kFar || begin < -size || end < -size || size + begin + end < 0)
      return fail(node,
                  fmt::format("pads {} and {} do not fit axis {} of size {}", begin, end, d, size));
    const int64_t reach = std::max(begin, end);
    if ((mode == "reflect" && reach > std::max<int64_t>(0, size - 1)) ||
        ((mode == "edge" || wraps) && reach > 0 && size == 0))
      return fail(node, fmt::format("{} pads {} and {} reach beyond axis {} of size {}", mode,
                                    begin, end, d, size));
    pads.begin[d] = begin;
    pads.end[d] = end;
  }
  return pads;
}

Result<void> infer(Infer& node) {
  const int opset = node.node().opset;
  VULTUS_CHECK(node.expect_inputs(opset < 11 ? 1 : 2, opset < 11 ? 1 : opset < 18 ? 3 : 4));
  std::vector<int64_t> list = node.node().integers("pads"), axes;
  if (opset >= 11) {
    VULTUS_TRY(list, node.integers(1, "pads"));
    if (node.has(3)) {
      VULTUS_TRY(axes, node.integers(3, "axes"));
    }
    if (node.has(2) && (node.dtype(2) != node.dtype(0) || node.shape(2).elements() != 1))
      return node.fail(fmt::format("the constant value must be one {}", name_of(node.dtype(0))));
  } else {
    VULTUS_CHECK(node.expect_type(0, {DType::f32}));
  }
  VULTUS_CHECK(node.axes(axes, node.shape(0).rank()));
  VULTUS_TRY(Pads pads, resolve(node.node(), node.shape(0), list, axes));
  Shape out = node.shape(0);
  for (int d = 0; d < out.rank(); ++d)
    out[d] += pads.begin[static_cast<size_t>(d)] + pads.end[static_cast<size_t>(d)];
  return node.set(0, node.dtype(0), out);
}

// For every position of an output axis the input position, or -1 for the constant.
std::vector<int64_t> sources(int64_t size, int64_t out, int64_t begin, const std::string& mode) {
  std::vector<int64_t> map(static_cast<size_t>(out));
  for (int64_t i = 0; i < out; ++i) {
    int64_t from = i - begin;
    if (from < 0 || from >= size) {
      if (mode == "constant")
        from = -1;
      else if (mode == "edge")
        from = from < 0 ? 0 : size - 1;
      else if (mode == "wrap")
        from = (from % size + size) % size;
      else
        from = from < 0 ? -from : 2 * (size - 1) - from;
    }
    map[static_cast<size_t>(i)] = from;
  }
  return map;
}

template <class T>
void pad_as(const TensorView& x, const TensorView& out,
            const std::vector<std::vector<int64_t>>& maps, const std::byte* value) {
  const T* from = reinterpret_cast<const T*>(x.bytes);
  T* to = reinterpret_cast<T*>(out.bytes);
  T fill{};
  if (value) std::memcpy(&fill, value, sizeof(T));
  const int rank = out.shape.rank();
  const Shape strides = x.shape.strides();
  const auto& inner = maps.back();
  const auto width = static_cast<int64_t>(inner.size());
  parallel_for(out.shape.elements() / std::max<int64_t>(width, 1), width,
               [&](int64_t begin, int64_t end) {
                 for (int64_t row = begin; row < end; ++row) {
                   int64_t rest = row, at = 0;
                   bool outside = false;
                   for (int d = rank - 2; d >= 0; --d) {
                     const auto& map = maps[static_cast<size_t>(d)];
                     const int64_t i = map[static_cast<size_t>(rest % out.shape[d])];
                     rest /= out.shape[d];
                     outside = outside || i < 0;
                     at += i * strides[d];
                   }
                   T* target = to + row * width;
                   if (outside)
                     std::fill(target, target + width, fill);
                   else
                     for (int64_t i = 0; i < width; ++i) {
                       const int64_t s = inner[static_cast<size_t>(i)];
                       target[i] = s < 0 ? fill : from[at + s];
                     }
                 }
               });
}

void pad(const TensorView& x, const TensorView& out, const std::vector<std::vector<int64_t>>& maps,
         const std::byte* value) {
  switch (size_of(x.dtype)) {
    case 1:
      return pad_as<uint8_t>(x, out, maps, value);
    case 2:
      return pad_as<uint16_t>(x, out, maps, value);
    case 4:
      return pad_as<uint32_t>(x, out, maps, value);
    default:
      return pad_as<uint64_t>(x, out, maps, value);
  }
}

Result<Prepared> prepare(const Eval& node) {
  const TensorView &x = node.in[0], &out = node.out[0];
  const bool inputs = node.node.opset >= 11;
  VULTUS_TRY(Pads pads,
             resolve(node.node, x.shape, inputs ? node.integers(1) : node.node.integers("pads"),
                     inputs ? node.integers(3) : std::vector<int64_t>{}));
  if (x.shape.rank() == 0)
    return Prepared{[](Eval& run) -> Result<void> {
      std::memcpy(run.out[0].bytes, run.in[0].bytes, run.out[0].size_bytes());
      return {};
    }};
  const std::string mode = node.node.text("mode", "constant");
  std::vector<std::vector<int64_t>> maps;
  for (int d = 0; d < x.shape.rank(); ++d)
    maps.push_back(sources(x.shape[d], out.shape[d], pads.begin[static_cast<size_t>(d)], mode));
  const float attribute = node.node.real("value", 0);
  return Prepared{[maps = std::move(maps), attribute, inputs](Eval& run) -> Result<void> {
    const std::byte* value = run.has(2) ? run.in[2].bytes : nullptr;
    if (!inputs) value = reinterpret_cast<const std::byte*>(&attribute);
    pad(run.in[0], run.out[0], maps, value);
    return {};
  }};
}

const Register pad_({.name = "Pad", .infer = infer, .prepare = prepare});

}  // namespace
}  // namespace vultus
