#include <algorithm>

#include "host/ops/op.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  return node.set(0, node.dtype(0), node.shape(0));
}

Result<void> eval(Eval& node) {
  auto x = node.in[0].as<const float>();
  std::transform(x.begin(), x.end(), node.out[0].as<float>().begin(),
                 [](float v) { return std::max(v, 0.0f); });
  return {};
}

const Register relu({.name = "Relu", .infer = infer, .eval = eval});

}  // namespace
}  // namespace vultus
