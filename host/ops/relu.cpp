#include <algorithm>

#include "host/cpu/kernels.hpp"
#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  VULTUS_CHECK(node.expect_type(0, {DType::f32}));
  return node.set(0, node.dtype(0), node.shape(0));
}

Result<void> eval(Eval& node) {
  apply_unary<float, float>(node.in[0], node.out[0], [](float x) { return std::max(x, 0.0f); });
  return {};
}

const Register relu({.name = "Relu", .infer = infer, .eval = eval, .build = cpu::build_unary});

}  // namespace
}  // namespace vultus
