#include <fmt/format.h>

#include <cmath>

#include "host/core/parallel.hpp"
#include "host/cpu/kernels.hpp"
#include "host/graph/activation.hpp"
#include "host/ops/op.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(5, 5));
  for (size_t i = 0; i < 5; ++i)
    VULTUS_CHECK(node.expect_type(i, {DType::f32}));
  if (node.node().integer("training_mode", 0) != 0)
    return node.fail("training mode is not supported");
  for (size_t i = 1; i < node.node().outputs.size(); ++i)
    if (node.node().outputs[i] != kNoValue)
      return node.fail("outputs of training mode are not supported");
  const Shape& x = node.shape(0);
  if (x.rank() < 2)
    return node.fail(fmt::format("input {} has rank {}, expected at least 2", x.str(), x.rank()));
  for (size_t i = 1; i < 5; ++i)
    if (node.shape(i) != Shape{x[1]})
      return node.fail(fmt::format("input {} has shape {}, expected {} (the channels)", i,
                                   node.shape(i).str(), x[1]));
  return node.set(0, DType::f32, x);
}

Result<void> eval(Eval& node) {
  const Shape& shape = node.in[0].shape;
  auto parameter = [&](size_t i) { return node.in[i].as<const float>().data(); };
  const float *x = parameter(0), *scale = parameter(1), *bias = parameter(2), *mean = parameter(3),
              *variance = parameter(4);
  const double epsilon = static_cast<double>(node.node.real("epsilon", 1e-5f));
  auto out = node.out[0].as<float>();
  if (out.empty()) return {};
  const int64_t channels = shape[1], planes = shape[0] * channels;
  const int64_t points = shape.elements() / planes;
  parallel_for(planes, points, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      const int64_t c = p % channels;
      const double a =
          static_cast<double>(scale[c]) / std::sqrt(static_cast<double>(variance[c]) + epsilon);
      const double b = static_cast<double>(bias[c]) - a * static_cast<double>(mean[c]);
      for (int64_t i = p * points; i < (p + 1) * points; ++i)
        out[static_cast<size_t>(i)] = static_cast<float>(a * static_cast<double>(x[i]) + b);
    }
  });
  activate(epilogue_of(node.node), out);
  return {};
}

const Register batch_norm({.name = "BatchNormalization",
                           .since = 9,
                           .infer = infer,
                           .eval = eval,
                           .build = cpu::build_batch_norm,
                           .limits = "inference, float32"});

}  // namespace
}  // namespace vultus
