#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/core/parallel.hpp"
#include "host/cpu/kernels.hpp"
#include "host/ops/fused.hpp"
#include "host/ops/op.hpp"
#include "host/ops/pool_axes.hpp"
#include "host/ops/window.hpp"

namespace vultus {
namespace {

bool is_read(const Node& node, size_t output) {
  return output < node.outputs.size() && node.outputs[output] != kNoValue;
}

bool gives_indices(const Node& node) {
  return is_read(node, 1) && !has_second_output(node);
}

Result<void> infer_pool(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  VULTUS_CHECK(node.expect_type(0, {DType::f32}));
  const Shape& x = node.shape(0);
  VULTUS_TRY(auto axes, pool_axes(node.node(), x));
  const Shape out = pooled_shape(x, axes);
  VULTUS_CHECK(node.set(0, DType::f32, out));
  if (!gives_indices(node.node())) return infer_second_output(node);  // ours
  if (node.node().op != "MaxPool") return node.fail("has a second output");
  return node.set(1, DType::i64, out);
}

// The part of a window that lies within the input: taps first..last-1 of one axis.
struct Taps {
  int64_t start, first, last;
};

Taps taps_at(const Window& w, size_t axis, int64_t o, int64_t size) {
  const int64_t start = o * w.stride[axis] - w.pad_begin[axis], d = w.dilation[axis];
  const int64_t first = start < 0 ? (-start + d - 1) / d : 0;
  const int64_t last = size > start ? std::min(w.kernel[axis], (size - start + d - 1) / d) : 0;
  return {start, first, std::max(first, last)};
}

// Calls reduce(plane, rows, columns) -> float for every window.
template <class Reduce>
void for_windows(const Eval& node, const Window& w, const Reduce& reduce) {
  const TensorView &x = node.in[0], &out = node.out[0];
  const int64_t height = x.shape[2], width = x.shape[3];
  const float* from = x.as<const float>().data();
  float* to = out.as<float>().data();
  parallel_for(x.shape[0] * x.shape[1], 4 * w.out[0] * w.out[1], [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane)
      for (int64_t y = 0; y < w.out[0]; ++y)
        for (int64_t c = 0; c < w.out[1]; ++c)
          to[(plane * w.out[0] + y) * w.out[1] + c] = reduce(
              from + plane * height * width, taps_at(w, 0, y, height), taps_at(w, 1, c, width));
  });
}

void max_pool_2d(Eval& node, const Window& w) {
  const int64_t width = node.in[0].shape[3];
  for_windows(node, w, [&](const float* x, const Taps& rows, const Taps& columns) {
    float best = -std::numeric_limits<float>::infinity();
    for (int64_t ky = rows.first; ky < rows.last; ++ky)
      for (int64_t kx = columns.first; kx < columns.last; ++kx) {
        const float v =
            x[(rows.start + ky * w.dilation[0]) * width + columns.start + kx * w.dilation[1]];
        best = v > best || std::isnan(v) ? v : best;
      }
    return best;
  });
}

void average_pool_2d(Eval& node, const Window& w) {
  const Shape& shape = node.in[0].shape;
  const bool padding_counts = node.node.integer("count_include_pad", 0) != 0;
  // Taps within the padded input: ceil_mode lets windows reach beyond it, and that never counts.
  auto padded = [&](size_t axis, const Taps& t) {
    const int64_t end = shape[static_cast<int>(axis) + 2] + w.pad_end[axis];
    const int64_t d = w.dilation[axis];
    return std::min(w.kernel[axis], (end - t.start + d - 1) / d);
  };
  for_windows(node, w, [&](const float* x, const Taps& rows, const Taps& columns) {
    double sum = 0;
    for (int64_t ky = rows.first; ky < rows.last; ++ky)
      for (int64_t kx = columns.first; kx < columns.last; ++kx)
        sum += static_cast<double>(
            x[(rows.start + ky * w.dilation[0]) * shape[3] + columns.start + kx * w.dilation[1]]);
    const int64_t count = padding_counts
                              ? padded(0, rows) * padded(1, columns)
                              : (rows.last - rows.first) * (columns.last - columns.first);
    return count == 0 ? 0.0f : static_cast<float>(sum / static_cast<double>(count));
  });
}

Result<Prepared> prepare_any_rank(const Node& node, const Shape& x) {
  VULTUS_TRY(auto axes, pool_axes(node, x));
  const bool column_major = node.integer("storage_order", 0) != 0;
  const bool padding_counts = node.integer("count_include_pad", 0) != 0;
  const bool is_max = node.op == "MaxPool", indices = gives_indices(node);
  return Prepared{[=, axes = std::move(axes)](Eval& run) -> Result<void> {
    if (is_max)
      max_pool(run.in[0], run.out[0], axes, indices ? run.out[1].as<int64_t>().data() : nullptr,
               column_major);
    else
      average_pool(run.in[0], run.out[0], axes, padding_counts);
    return {};
  }};
}

template <void (*pool)(Eval&, const Window&)>
Result<Prepared> prepare(const Eval& node) {
  const Shape& x = node.in[0].shape;
  if (x.rank() != 4 || gives_indices(node.node)) return prepare_any_rank(node.node, x);
  VULTUS_TRY(Window window, resolve_window(node.node, x));
  return Prepared{[window, second = find_second_output(node.node)](Eval& run) -> Result<void> {
    pool(run, window);
    write_second_output(run, second);
    return {};
  }};
}

Result<void> infer_global(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  VULTUS_CHECK(node.expect_type(0, {DType::f32}));
  Shape out = node.shape(0);
  if (out.rank() < 3)
    return node.fail(
        fmt::format("input {} has rank {}, expected at least 3", out.str(), out.rank()));
  for (int d = 2; d < out.rank(); ++d) {
    if (out[d] == 0) return node.fail(fmt::format("input {} is empty", node.shape(0).str()));
    out[d] = 1;
  }
  return node.set(0, DType::f32, out);
}

template <class Reduce>
void for_planes(const Eval& node, const Reduce& reduce) {
  const float* from = node.in[0].as<const float>().data();
  auto to = node.out[0].as<float>();
  const auto planes = static_cast<int64_t>(to.size());
  if (planes == 0) return;
  const int64_t points = node.in[0].shape.elements() / planes;
  parallel_for(planes, points, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p)
      to[static_cast<size_t>(p)] =
          reduce(std::span(from + p * points, static_cast<size_t>(points)));
  });
}

Result<void> eval_global_average(Eval& node) {
  for_planes(node, [](std::span<const float> x) {
    double sum = 0;
    for (float v : x)
      sum += static_cast<double>(v);
    return static_cast<float>(sum / static_cast<double>(x.size()));
  });
  return {};
}

Result<void> eval_global_max(Eval& node) {
  for_planes(node, [](std::span<const float> x) {
    float best = x[0];
    for (float v : x)
      best = v > best || std::isnan(v) ? v : best;
    return best;
  });
  return {};
}

const Register max({.name = "MaxPool",
                    .infer = infer_pool,
                    .prepare = prepare<max_pool_2d>,
                    .build = cpu::build_pool,
                    .limits = "float32"});
const Register average({.name = "AveragePool",
                        .since = 7,
                        .infer = infer_pool,
                        .prepare = prepare<average_pool_2d>,
                        .build = cpu::build_pool,
                        .limits = "float32"});
const Register global_average({.name = "GlobalAveragePool",
                               .infer = infer_global,
                               .eval = eval_global_average,
                               .build = cpu::build_global_average_pool});
const Register global_max({.name = "GlobalMaxPool",
                           .infer = infer_global,
                           .eval = eval_global_max});

}  // namespace
}  // namespace vultus
