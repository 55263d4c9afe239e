#include <fmt/format.h>

#include <cmath>
#include <span>

#include "host/core/parallel.hpp"
#include "host/cpu/kernels.hpp"
#include "host/graph/activation.hpp"
#include "host/ops/op.hpp"

namespace vultus {
namespace {

struct Moments {
  double mean, inverse_deviation;
};

Moments moments(std::span<const float> x, double epsilon) {
  double sum = 0, squares = 0;
  for (float v : x)
    sum += static_cast<double>(v);
  const double mean = sum / static_cast<double>(x.size());
  for (float v : x)
    squares += (static_cast<double>(v) - mean) * (static_cast<double>(v) - mean);
  return {mean, 1 / std::sqrt(squares / static_cast<double>(x.size()) + epsilon)};
}

Result<void> infer_instance(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(3, 3));
  for (size_t i = 0; i < 3; ++i)
    VULTUS_CHECK(node.expect_type(i, {DType::f32}));
  const Shape& x = node.shape(0);
  if (x.rank() < 3)
    return node.fail(fmt::format("input {} has rank {}, expected at least 3", x.str(), x.rank()));
  for (size_t i = 1; i < 3; ++i)
    if (node.shape(i) != Shape{x[1]})
      return node.fail(fmt::format("input {} has shape {}, expected {} (the channels)", i,
                                   node.shape(i).str(), x[1]));
  return node.set(0, DType::f32, x);
}

Result<void> eval_instance(Eval& node) {
  const Shape& shape = node.in[0].shape;
  const double epsilon = static_cast<double>(node.node.real("epsilon", 1e-5f));
  auto x = node.in[0].as<const float>();
  auto scale = node.in[1].as<const float>(), bias = node.in[2].as<const float>();
  auto out = node.out[0].as<float>();
  if (out.empty()) return {};
  const int64_t channels = shape[1], planes = shape[0] * channels;
  const auto points = static_cast<size_t>(shape.elements() / planes);
  parallel_for(planes, 4 * static_cast<int64_t>(points), [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const auto c = static_cast<size_t>(p % channels), first = static_cast<size_t>(p) * points;
      const Moments m = moments(x.subspan(first, points), epsilon);
      const double a = static_cast<double>(scale[c]) * m.inverse_deviation;
      const double b = static_cast<double>(bias[c]) - a * m.mean;
      for (size_t i = first; i < first + points; ++i)
        out[i] = static_cast<float>(a * static_cast<double>(x[i]) + b);
    }
  });
  activate(epilogue_of(node.node), out);
  return {};
}

Result<void> infer_layer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 3));
  for (size_t i = 0; i < 3; ++i)
    VULTUS_CHECK(node.expect_type(i, {DType::f32}));
  if (node.node().outputs.size() > 3) return node.fail("has more than 3 outputs");
  const Shape& x = node.shape(0);
  VULTUS_TRY(int axis, node.axis(node.node().integer("axis", -1), x.rank()));
  const Shape inner(x.dims().subspan(static_cast<size_t>(axis)));
  for (size_t i = 1; i < 3; ++i)
    if (node.has(i) && node.shape(i) != inner)
      return node.fail(
          fmt::format("input {} has shape {}, expected {}", i, node.shape(i).str(), inner.str()));
  Shape rows = x;
  for (int d = axis; d < rows.rank(); ++d)
    rows[d] = 1;
  VULTUS_CHECK(node.set(1, DType::f32, rows));
  VULTUS_CHECK(node.set(2, DType::f32, rows));
  return node.set(0, DType::f32, x);
}

/// The elements of an optional output, or null.
float* optional_output(const Eval& node, size_t i) {
  return i < node.out.size() ? reinterpret_cast<float*>(node.out[i].bytes) : nullptr;
}

Result<void> eval_layer(Eval& node) {
  const double epsilon = static_cast<double>(node.node.real("epsilon", 1e-5f));
  auto x = node.in[0].as<const float>(), scale = node.in[1].as<const float>();
  const float* bias = node.has(2) ? node.in[2].as<const float>().data() : nullptr;
  auto out = node.out[0].as<float>();
  float *means = optional_output(node, 1), *deviations = optional_output(node, 2);
  if (out.empty()) return {};
  const size_t points = scale.size();
  const auto rows = static_cast<int64_t>(x.size() / points);
  parallel_for(rows, 4 * static_cast<int64_t>(points), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const size_t first = static_cast<size_t>(r) * points;
      const Moments m = moments(x.subspan(first, points), epsilon);
      if (means) means[r] = static_cast<float>(m.mean);
      if (deviations) deviations[r] = static_cast<float>(m.inverse_deviation);
      for (size_t i = 0; i < points; ++i) {
        const double v = (static_cast<double>(x[first + i]) - m.mean) * m.inverse_deviation;
        const double shift = bias ? static_cast<double>(bias[i]) : 0;
        out[first + i] = static_cast<float>(v * static_cast<double>(scale[i]) + shift);
      }
    }
  });
  return {};
}

const Register instance({.name = "InstanceNormalization",
                         .since = 6,
                         .infer = infer_instance,
                         .eval = eval_instance,
                         .build = cpu::build_instance_norm,
                         .limits = "float32"});
const Register layer({.name = "LayerNormalization",
                      .since = 17,
                      .infer = infer_layer,
                      .eval = eval_layer,
                      .limits = "float32"});

}  // namespace
}  // namespace vultus
