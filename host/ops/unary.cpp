#include <cmath>
#include <numbers>

#include "host/cpu/kernels.hpp"
#include "host/graph/activation.hpp"
#include "host/ops/arithmetic.hpp"
#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

Result<void> infer_number(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  VULTUS_CHECK(node.expect_type(0, {DType::f32, DType::f64, DType::i32, DType::i64}));
  return node.set(0, node.dtype(0), node.shape(0));
}

Result<void> infer_real(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  VULTUS_CHECK(node.expect_type(0, {DType::f32, DType::f64}));
  return node.set(0, node.dtype(0), node.shape(0));
}

Result<void> infer_float(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  VULTUS_CHECK(node.expect_type(0, {DType::f32}));
  return node.set(0, node.dtype(0), node.shape(0));
}

struct Neg {
  template <class T>
  T operator()(T x) const {
    if constexpr (std::is_integral_v<T>)
      return subtract(T{0}, x);
    else
      return -x;
  }
};
struct Abs {
  template <class T>
  T operator()(T x) const {
    if constexpr (std::is_integral_v<T>)
      return x < 0 ? subtract(T{0}, x) : x;
    else
      return std::abs(x);
  }
};
struct Sign {
  template <class T>
  T operator()(T x) const {
    return x != x ? x : static_cast<T>((x > 0) - (x < 0));
  }
};

template <class F>
Result<void> eval_number(Eval& node) {
  visit_number(node.out[0].dtype,
               [&]<class T>() { apply_unary<T, T>(node.in[0], node.out[0], F{}); });
  return {};
}

template <double (*F)(double), float (*G)(float)>
Result<void> eval_real(Eval& node) {
  if (node.out[0].dtype == DType::f64)
    apply_unary<double, double>(node.in[0], node.out[0], [](double x) { return F(x); });
  else
    apply_unary<float, float>(node.in[0], node.out[0], [](float x) { return G(x); });
  return {};
}

template <class T>
T reciprocal(T x) {
  return 1 / x;
}

// Activations that are also epilogues have their formula in one place.
Result<void> eval_activation(Eval& node) {
  const Epilogue epilogue = *as_epilogue(Graph{}, node.node);
  apply_unary<float, float>(node.in[0], node.out[0],
                            [epilogue](float x) { return apply(epilogue, x); });
  return {};
}

float softplus(float x) {
  return std::max(x, 0.0f) + std::log1p(std::exp(-std::abs(x)));
}

Result<void> eval_softplus(Eval& node) {
  apply_unary<float, float>(node.in[0], node.out[0], softplus);
  return {};
}

Result<void> eval_mish(Eval& node) {
  apply_unary<float, float>(node.in[0], node.out[0],
                            [](float x) { return x * std::tanh(softplus(x)); });
  return {};
}

Result<void> eval_elu(Eval& node) {
  const float alpha = node.node.real("alpha", 1);
  apply_unary<float, float>(node.in[0], node.out[0],
                            [=](float x) { return x < 0 ? alpha * std::expm1(x) : x; });
  return {};
}

Result<void> eval_selu(Eval& node) {
  const float alpha = node.node.real("alpha", 1.67326319217681884765625f);
  const float gamma = node.node.real("gamma", 1.05070102214813232421875f);
  apply_unary<float, float>(node.in[0], node.out[0],
                            [=](float x) { return gamma * (x <= 0 ? alpha * std::expm1(x) : x); });
  return {};
}

Result<void> infer_gelu(Infer& node) {
  const std::string approximate = node.node().text("approximate", "none");
  if (approximate != "none" && approximate != "tanh")
    return node.fail("approximate must be 'none' or 'tanh', not '" + approximate + "'");
  return infer_float(node);
}

Result<void> eval_gelu(Eval& node) {
  if (node.node.text("approximate", "none") == "tanh")
    apply_unary<float, float>(node.in[0], node.out[0], [](float x) {
      constexpr float kScale = 0.7978845608028654f;  // sqrt(2 / pi)
      return 0.5f * x * (1 + std::tanh(kScale * (x + 0.044715f * x * x * x)));
    });
  else
    apply_unary<float, float>(node.in[0], node.out[0], [](float x) {
      return 0.5f * x * (1 + std::erf(x * (std::numbers::sqrt2_v<float> / 2)));
    });
  return {};
}

const Register neg({.name = "Neg", .since = 6, .infer = infer_number, .eval = eval_number<Neg>});
const Register abs({.name = "Abs", .since = 6, .infer = infer_number, .eval = eval_number<Abs>});
const Register sign({.name = "Sign", .since = 9, .infer = infer_number, .eval = eval_number<Sign>});

const Register exp(
    {.name = "Exp", .since = 6, .infer = infer_real, .eval = eval_real<std::exp, std::exp>});
const Register log(
    {.name = "Log", .since = 6, .infer = infer_real, .eval = eval_real<std::log, std::log>});
const Register sqrt(
    {.name = "Sqrt", .since = 6, .infer = infer_real, .eval = eval_real<std::sqrt, std::sqrt>});
const Register inverse({.name = "Reciprocal",
                        .since = 6,
                        .infer = infer_real,
                        .eval = eval_real<reciprocal, reciprocal>});
const Register floor(
    {.name = "Floor", .since = 6, .infer = infer_real, .eval = eval_real<std::floor, std::floor>});
const Register ceil(
    {.name = "Ceil", .since = 6, .infer = infer_real, .eval = eval_real<std::ceil, std::ceil>});
// Halves go to the even neighbour, as ONNX wants and the default rounding mode does.
const Register round({.name = "Round",
                      .since = 11,
                      .infer = infer_real,
                      .eval = eval_real<std::nearbyint, std::nearbyint>});
const Register sin(
    {.name = "Sin", .since = 7, .infer = infer_real, .eval = eval_real<std::sin, std::sin>});
const Register cos(
    {.name = "Cos", .since = 7, .infer = infer_real, .eval = eval_real<std::cos, std::cos>});
const Register erf(
    {.name = "Erf", .since = 9, .infer = infer_real, .eval = eval_real<std::erf, std::erf>});

const Register leaky_relu({.name = "LeakyRelu",
                           .since = 6,
                           .infer = infer_float,
                           .eval = eval_activation,
                           .build = cpu::build_unary});
const Register sigmoid({.name = "Sigmoid",
                        .since = 6,
                        .infer = infer_float,
                        .eval = eval_activation,
                        .build = cpu::build_unary});
const Register tanh({.name = "Tanh",
                     .since = 6,
                     .infer = infer_float,
                     .eval = eval_activation,
                     .build = cpu::build_unary});
const Register hard_sigmoid({.name = "HardSigmoid",
                             .since = 6,
                             .infer = infer_float,
                             .eval = eval_activation,
                             .build = cpu::build_unary});
const Register hard_swish({.name = "HardSwish",
                           .since = 14,
                           .infer = infer_float,
                           .eval = eval_activation,
                           .build = cpu::build_unary});
const Register silu({.name = "Silu",
                     .infer = infer_float,
                     .eval = eval_activation,
                     .build = cpu::build_unary,
                     .limits = "ours: x * Sigmoid(x)"});
const Register elu({.name = "Elu", .since = 6, .infer = infer_float, .eval = eval_elu});
const Register selu({.name = "Selu", .since = 6, .infer = infer_float, .eval = eval_selu});
const Register softplus_({.name = "Softplus", .infer = infer_float, .eval = eval_softplus});
const Register mish({.name = "Mish", .since = 18, .infer = infer_float, .eval = eval_mish});
const Register gelu(
    {.name = "Gelu", .infer = infer_gelu, .eval = eval_gelu, .limits = "ours: as in opset 20"});

}  // namespace
}  // namespace vultus
