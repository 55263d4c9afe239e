#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/core/parallel.hpp"
#include "host/ops/op.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  VULTUS_CHECK(node.expect_type(0, {DType::f32}));
  const int64_t size = node.node().integer("size", 0);
  if (size < 1 || size > 1 << 20) return node.fail(fmt::format("size {} is out of range", size));
  if (node.shape(0).rank() < 2)
    return node.fail(fmt::format("input {} has no channels", node.shape(0).str()));
  return node.set(0, DType::f32, node.shape(0));
}

Result<void> eval(Eval& node) {
  const Shape& shape = node.in[0].shape;
  auto x = node.in[0].as<const float>();
  auto out = node.out[0].as<float>();
  if (x.empty()) return {};
  const int64_t size = node.node.integer("size", 1), channels = shape[1];
  const double alpha = static_cast<double>(node.node.real("alpha", 1e-4f));
  const double beta = static_cast<double>(node.node.real("beta", 0.75f));
  const double bias = static_cast<double>(node.node.real("bias", 1));
  const int64_t points = shape.elements() / (shape[0] * channels);
  parallel_for(shape.elements(), size + 20, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t c = i / points % channels;
      const int64_t first = std::max<int64_t>(0, c - (size - 1) / 2);
      const int64_t last = std::min(channels - 1, c + size / 2);
      double squares = 0;
      for (int64_t k = first; k <= last; ++k) {
        const double v = static_cast<double>(x[static_cast<size_t>(i + (k - c) * points)]);
        squares += v * v;
      }
      const double scale = std::pow(bias + alpha / static_cast<double>(size) * squares, beta);
      out[static_cast<size_t>(i)] =
          static_cast<float>(static_cast<double>(x[static_cast<size_t>(i)]) / scale);
    }
  });
  return {};
}

const Register lrn({.name = "LRN", .infer = infer, .eval = eval, .limits = "float32"});

}  // namespace
}  // namespace vultus
