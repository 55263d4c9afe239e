#include "host/ops/pool_axes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "host/core/parallel.hpp"
#include "host/ops/op.hpp"
#include "host/ops/window.hpp"

namespace vultus {

namespace {

using Position = std::array<int64_t, kMaxRank>;

/// The list of the node as one number an axis, or the fallback for all.
Result<std::vector<int64_t>> per_axis(const Node& node, std::string_view key, size_t axes,
                                      int64_t fallback) {
  auto list = node.integers(key, std::vector<int64_t>(axes, fallback));
  if (list.size() == axes) return list;
  return fail(node, fmt::format("{} has {} entries, expected {}", key, list.size(), axes));
}

/// The part of a window that lies in the input: taps first..last-1 of every axis.
struct Place {
  const std::vector<PoolAxis>& axes;
  Position start{}, first{}, last{}, tap{};
  double padded = 1;  ///< taps in the input and its padding: ceil_mode lets windows reach beyond

  Place(const std::vector<PoolAxis>& of, const Position& output) : axes(of) {
    for (size_t d = 0; d < axes.size(); ++d) {
      const PoolAxis& a = axes[d];
      start[d] = output[d] * a.stride - a.pad_begin;
      auto taps_before = [&](int64_t end) {
        return end > start[d] ? std::min(a.kernel, (end - start[d] + a.dilation - 1) / a.dilation)
                              : 0;
      };
      first[d] = taps_before(0);
      last[d] = std::max(first[d], taps_before(a.in));
      padded *= static_cast<double>(taps_before(a.in + a.pad_end));
    }
    tap = first;
  }
  int64_t inside() const {
    int64_t taps = 1;
    for (size_t d = 0; d < axes.size(); ++d)
      taps *= last[d] - first[d];
    return taps;
  }
  /// To the next tap in the input, row by row.
  void advance() {
    for (size_t d = axes.size(); d-- > 0;) {
      if (++tap[d] < last[d]) return;
      tap[d] = first[d];
    }
  }
  /// Of the present tap in the plane.
  int64_t offset(bool column_major) const {
    int64_t at = 0;
    for (size_t i = 0; i < axes.size(); ++i) {
      const size_t d = column_major ? axes.size() - 1 - i : i;
      at = at * axes[d].in + start[d] + tap[d] * axes[d].dilation;
    }
    return at;
  }
};

/// Calls pool(plane of the input, its first element's position, place, output element) for every
/// window.
template <class Pool>
void for_windows(const TensorView& x, const std::vector<PoolAxis>& axes, const Pool& pool) {
  int64_t windows = 1, points = 1;
  for (const PoolAxis& axis : axes) {
    windows *= axis.out;
    points *= axis.in;
  }
  const float* from = x.as<const float>().data();
  parallel_for(x.shape[0] * x.shape[1], 8 * windows, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin * windows; o < end * windows; ++o) {
      const int64_t plane = o / windows;
      Position output{};
      for (int64_t rest = o % windows, d = std::ssize(axes) - 1; d >= 0; --d) {
        output[static_cast<size_t>(d)] = rest % axes[static_cast<size_t>(d)].out;
        rest /= axes[static_cast<size_t>(d)].out;
      }
      pool(from + plane * points, plane * points, Place(axes, output), o);
    }
  });
}

}  // namespace

Result<std::vector<PoolAxis>> pool_axes(const Node& node, const Shape& x) {
  if (x.rank() < 3)
    return fail(node, fmt::format("input {} has rank {}, expected at least 3", x.str(), x.rank()));
  const auto count = static_cast<size_t>(x.rank()) - 2;
  if (!node.has("kernel_shape")) return fail(node, "attribute kernel_shape is missing");
  VULTUS_TRY(auto kernel, per_axis(node, "kernel_shape", count, 1));
  VULTUS_TRY(auto strides, per_axis(node, "strides", count, 1));
  VULTUS_TRY(auto dilations, per_axis(node, "dilations", count, 1));
  VULTUS_TRY(auto pads, per_axis(node, "pads", 2 * count, 0));
  std::vector<PoolAxis> axes;
  for (size_t d = 0; d < count; ++d) {
    // Axes are independent: each is the width of a picture of one row.
    Node row = node;
    row.attributes["kernel_shape"] = std::vector<int64_t>{1, kernel[d]};
    row.attributes["strides"] = std::vector<int64_t>{1, strides[d]};
    row.attributes["dilations"] = std::vector<int64_t>{1, dilations[d]};
    row.attributes["pads"] = std::vector<int64_t>{0, pads[d], 0, pads[d + count]};
    const int64_t size = x[static_cast<int>(d) + 2];
    VULTUS_TRY(Window w, resolve_window(row, Shape{1, 1, 1, size}));
    axes.push_back(
        {size, w.out[1], kernel[d], strides[d], dilations[d], w.pad_begin[1], w.pad_end[1]});
  }
  return axes;
}

Shape pooled_shape(const Shape& x, const std::vector<PoolAxis>& axes) {
  Shape shape{x[0], x[1]};
  for (const PoolAxis& axis : axes)
    shape.push_back(axis.out);
  return shape;
}

void max_pool(const TensorView& x, const TensorView& out, const std::vector<PoolAxis>& axes,
              int64_t* indices, bool column_major) {
  float* to = out.as<float>().data();
  for_windows(x, axes, [&](const float* plane, int64_t base, Place place, int64_t o) {
    float best = -std::numeric_limits<float>::infinity();
    int64_t index = base;
    for (int64_t taps = place.inside(); taps > 0; --taps, place.advance()) {
      const float v = plane[place.offset(false)];
      if (!(v > best) && !std::isnan(v)) continue;
      best = v;
      index = base + place.offset(column_major);
    }
    to[o] = best;
    if (indices) indices[o] = index;
  });
}

void average_pool(const TensorView& x, const TensorView& out, const std::vector<PoolAxis>& axes,
                  bool padding_counts) {
  float* to = out.as<float>().data();
  for_windows(x, axes, [&](const float* plane, int64_t, Place place, int64_t o) {
    const int64_t inside = place.inside();
    const double count = padding_counts ? place.padded : static_cast<double>(inside);
    double sum = 0;
    for (int64_t taps = inside; taps > 0; --taps, place.advance())
      sum += static_cast<double>(plane[place.offset(false)]);
    to[o] = count == 0 ? 0.0f : static_cast<float>(sum / count);
  });
}

}  // namespace vultus
