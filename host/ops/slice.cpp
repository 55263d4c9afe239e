#include "host/ops/slice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "host/cpu/kernels.hpp"
#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

struct Arguments {
  std::vector<int64_t> starts, ends, axes, steps;
};

// ONNX Slice, "clamping" section: bounds beyond the axis mean its ends.
AxisRange clamp_range(int64_t size, int64_t start, int64_t end, int64_t step) {
  constexpr int64_t kFar = int64_t{1} << 41;  // no axis is longer, and no product overflows
  step = std::clamp(step, -kFar, kFar);
  start = start < 0 ? start + size : start;
  end = end < 0 ? end + size : end;
  AxisRange r{0, step, 0};
  if (size == 0) return r;
  if (step > 0) {
    r.start = std::clamp<int64_t>(start, 0, size);
    end = std::clamp<int64_t>(end, 0, size);
    r.count = std::max<int64_t>(0, (end - r.start + step - 1) / step);
  } else {
    r.start = std::clamp<int64_t>(start, 0, size - 1);
    end = std::clamp<int64_t>(end, -1, size - 1);
    r.count = std::max<int64_t>(0, (r.start - end - step - 1) / -step);
  }
  if (r.count == 0) r.start = 0;
  return r;
}

Result<std::vector<AxisRange>> ranges(const Node& node, const Shape& x, const Arguments& a) {
  const size_t n = a.starts.size();
  if (a.ends.size() != n || (!a.axes.empty() && a.axes.size() != n) ||
      (!a.steps.empty() && a.steps.size() != n))
    return fail(node, fmt::format("{} starts, {} ends, {} axes and {} steps do not match", n,
                                  a.ends.size(), a.axes.size(), a.steps.size()));
  std::vector<AxisRange> out;
  for (int64_t d : x)
    out.push_back({0, 1, d});
  std::vector<bool> seen(out.size(), false);
  for (size_t i = 0; i < n; ++i) {
    int64_t axis = a.axes.empty() ? static_cast<int64_t>(i) : a.axes[i];
    if (axis < -x.rank() || axis >= x.rank())
      return fail(node, fmt::format("axis {} is out of range for rank {}", axis, x.rank()));
    const auto d = static_cast<size_t>(axis < 0 ? axis + x.rank() : axis);
    const int64_t step = a.steps.empty() ? 1 : a.steps[i];
    if (step == 0) return fail(node, fmt::format("step of axis {} is 0", d));
    if (seen[d]) return fail(node, fmt::format("axis {} is given twice", d));
    seen[d] = true;
    out[d] = clamp_range(x[static_cast<int>(d)], a.starts[i], a.ends[i], step);
  }
  return out;
}

Arguments attributes(const Node& node) {
  return {node.integers("starts"), node.integers("ends"), node.integers("axes"), {}};
}

Result<void> infer(Infer& node) {
  const bool inputs = node.node().opset >= 10;
  VULTUS_CHECK(node.expect_inputs(inputs ? 3 : 1, inputs ? 5 : 1));
  Arguments a;
  if (inputs) {
    VULTUS_TRY(a.starts, node.integers(1, "starts"));
    VULTUS_TRY(a.ends, node.integers(2, "ends"));
    if (node.has(3)) {
      VULTUS_TRY(a.axes, node.integers(3, "axes"));
    }
    if (node.has(4)) {
      VULTUS_TRY(a.steps, node.integers(4, "steps"));
    }
  } else {
    a = attributes(node.node());
  }
  VULTUS_TRY(auto r, ranges(node.node(), node.shape(0), a));
  Shape out = node.shape(0);
  for (int d = 0; d < out.rank(); ++d)
    out[d] = r[static_cast<size_t>(d)].count;
  return node.set(0, node.dtype(0), out);
}

Result<Prepared> prepare(const Eval& node) {
  Arguments a = node.node.opset >= 10 ? Arguments{node.integers(1), node.integers(2),
                                                  node.integers(3), node.integers(4)}
                                      : attributes(node.node);
  const Shape& x = node.in[0].shape;
  const Shape& out = node.out[0].shape;
  VULTUS_TRY(auto r, ranges(node.node, x, a));
  if (out.elements() == 0) return Prepared{[](Eval&) -> Result<void> { return {}; }};
  const Shape from = x.strides(), to = out.strides();
  int64_t offset = 0;
  Walk<2> walk;
  for (int d = 0; d < x.rank(); ++d) {
    const AxisRange& range = r[static_cast<size_t>(d)];
    offset += range.start * from[d];
    walk.add(out[d], {out[d] == 1 ? 0 : range.step * from[d], to[d]});
  }
  const size_t bytes = size_of(node.in[0].dtype);
  return Prepared{[=](Eval& run) -> Result<void> {
    copy_strided(run.in[0].bytes + offset * static_cast<int64_t>(bytes), run.out[0].bytes, walk,
                 bytes);
    return {};
  }};
}

const Register slice(
    {.name = "Slice", .infer = infer, .prepare = prepare, .build = cpu::build_slice});

}  // namespace

Result<std::vector<AxisRange>> slice_ranges(const Graph& graph, const Node& node) {
  auto list = [&](size_t i) -> std::vector<int64_t> {
    const Tensor* t = graph.constant(node.input(i));
    if (!t) return {};
    if (t->dtype() == DType::i32) return {t->as<int32_t>().begin(), t->as<int32_t>().end()};
    return {t->as<int64_t>().begin(), t->as<int64_t>().end()};
  };
  Arguments a = node.opset >= 10 ? Arguments{list(1), list(2), list(3), list(4)} : attributes(node);
  return ranges(node, graph.shape(node.inputs[0]), a);
}

}  // namespace vultus
