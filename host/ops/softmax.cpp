#include <cmath>
#include <limits>
#include <vector>

#include "host/core/parallel.hpp"
#include "host/cpu/kernels.hpp"
#include "host/ops/op.hpp"

namespace vultus {
namespace {

// Before opset 13 everything from the axis (default 1) on is one row; since then the axis (default
// the last) alone.
struct Rows {
  int64_t outer = 1, size = 1, inner = 1;
};

int64_t default_axis(const Node& node) {
  return node.opset < 13 ? 1 : -1;
}

Rows rows(const Node& node, const Shape& x) {
  int64_t axis = node.integer("axis", default_axis(node));
  axis = axis < 0 ? axis + x.rank() : axis;
  Rows r;
  for (int d = 0; d < x.rank(); ++d) {
    if (d < axis)
      r.outer *= x[d];
    else if (d == axis || node.opset < 13)
      r.size *= x[d];
    else
      r.inner *= x[d];
  }
  return r;
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  VULTUS_CHECK(node.expect_type(0, {DType::f32}));
  const int64_t axis = node.node().integer("axis", default_axis(node.node()));
  // The flattening form allows the axis to be the rank: rows of one element.
  const int extra = node.node().opset < 13 && axis == node.shape(0).rank() ? 1 : 0;
  VULTUS_CHECK(node.axis(axis, node.shape(0).rank() + extra));
  return node.set(0, DType::f32, node.shape(0));
}

template <bool Log>
Result<void> eval(Eval& node) {
  const Rows r = rows(node.node, node.in[0].shape);
  const float* x = node.in[0].as<const float>().data();
  float* out = node.out[0].as<float>().data();
  parallel_for(r.outer * r.inner, 16 * r.size, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i / r.inner * r.size * r.inner + i % r.inner;
      const int64_t last = first + r.size * r.inner;
      double best = -std::numeric_limits<double>::infinity(), sum = 0;
      for (int64_t k = first; k < last; k += r.inner)
        best = std::max(best, static_cast<double>(x[k]));
      for (int64_t k = first; k < last; k += r.inner)
        sum += std::exp(static_cast<double>(x[k]) - best);
      for (int64_t k = first; k < last; k += r.inner) {
        const double v = static_cast<double>(x[k]) - best;
        out[k] = static_cast<float>(Log ? v - std::log(sum) : std::exp(v) / sum);
      }
    }
  });
  return {};
}

const Register softmax({.name = "Softmax",
                        .infer = infer,
                        .eval = eval<false>,
                        .build = cpu::build_softmax,
                        .limits = "float32"});
const Register log_softmax(
    {.name = "LogSoftmax", .infer = infer, .eval = eval<true>, .limits = "float32"});

}  // namespace
}  // namespace vultus
