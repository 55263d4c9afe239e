#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/cpu/kernels.hpp"
#include "host/graph/activation.hpp"
#include "host/ops/arithmetic.hpp"
#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

struct Add {
  template <class T>
  T operator()(T a, T b) const {
    return add(a, b);
  }
};
struct Sub {
  template <class T>
  T operator()(T a, T b) const {
    return subtract(a, b);
  }
};
struct Mul {
  template <class T>
  T operator()(T a, T b) const {
    return multiply(a, b);
  }
};
struct Div {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>)
      if (b == -1) return subtract(T{0}, a);  // the smallest integer over -1 overflows
    return a / b;
  }
};
struct Mod {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      if (b == -1) return 0;
      const T r = a % b;
      return r != 0 && (r < 0) != (b < 0) ? static_cast<T>(r + b) : r;
    } else {
      return std::fmod(a, b);
    }
  }
};
struct Remainder {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>)
      return b == -1 ? 0 : a % b;
    else
      return std::fmod(a, b);
  }
};
struct Max {
  template <class T>
  T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};
struct Min {
  template <class T>
  T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};
struct PRelu {
  template <class T>
  T operator()(T x, T slope) const {
    return x < 0 ? multiply(slope, x) : x;
  }
};

Result<void> infer_types(Infer& node, size_t inputs) {
  for (size_t i = 0; i < inputs; ++i) {
    if (!node.has(i)) return node.fail(fmt::format("input {} is missing", i));
    VULTUS_CHECK(node.expect_type(i, {DType::f32, DType::f64, DType::i32, DType::i64}));
  }
  return {};
}

Result<void> infer_all(Infer& node) {
  VULTUS_CHECK(infer_types(node, node.inputs()));
  Shape out = node.shape(0);
  for (size_t i = 1; i < node.inputs(); ++i) {
    if (node.dtype(i) != node.dtype(0))
      return node.fail(fmt::format("input {} has type {}, input 0 {}", i, name_of(node.dtype(i)),
                                   name_of(node.dtype(0))));
    auto both = broadcast(out, node.shape(i));
    if (!both)
      return node.fail(
          fmt::format("shapes {} and {} do not broadcast", out.str(), node.shape(i).str()));
    out = *both;
  }
  return node.set(0, node.dtype(0), out);
}

Result<void> infer_binary(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  return infer_all(node);
}

Result<void> infer_many(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1 << 16));
  return infer_all(node);
}

Result<void> infer_prelu(Infer& node) {
  VULTUS_CHECK(infer_binary(node));
  if (broadcast(node.shape(0), node.shape(1)) != node.shape(0))
    return node.fail(
        fmt::format("slope {} does not broadcast to {}", node.shape(1).str(), node.shape(0).str()));
  return {};
}

template <class F>
Result<void> eval_binary(Eval& node) {
  visit_number(node.out[0].dtype,
               [&]<class T>() { apply_broadcast<T, T>(node.in[0], node.in[1], node.out[0], F{}); });
  return {};
}

Result<void> eval_add(Eval& node) {
  VULTUS_CHECK(eval_binary<Add>(node));
  if (node.out[0].dtype == DType::f32) activate(epilogue_of(node.node), node.out[0].as<float>());
  return {};
}

Result<void> refuse_zero_divisor(const Eval& node) {
  const TensorView& b = node.in[1];
  const bool bad = (b.dtype == DType::i64 && std::ranges::count(b.as<const int64_t>(), 0) != 0) ||
                   (b.dtype == DType::i32 && std::ranges::count(b.as<const int32_t>(), 0) != 0);
  if (bad) return node.fail("integer division by zero");
  return {};
}

Result<void> eval_div(Eval& node) {
  VULTUS_CHECK(refuse_zero_divisor(node));
  return eval_binary<Div>(node);
}

Result<void> infer_mod(Infer& node) {
  const bool real = node.dtype(0) == DType::f32 || node.dtype(0) == DType::f64;
  if (real && node.node().integer("fmod", 0) == 0)
    return node.fail("floating-point operands need fmod = 1");
  return infer_binary(node);
}

Result<void> eval_mod(Eval& node) {
  VULTUS_CHECK(refuse_zero_divisor(node));
  return node.node.integer("fmod", 0) != 0 ? eval_binary<Remainder>(node) : eval_binary<Mod>(node);
}

Result<void> infer_pow(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  VULTUS_CHECK(infer_types(node, 2));
  auto out = broadcast(node.shape(0), node.shape(1));
  if (!out)
    return node.fail(
        fmt::format("shapes {} and {} do not broadcast", node.shape(0).str(), node.shape(1).str()));
  return node.set(0, node.dtype(0), *out);
}

template <class T>
T power(T base, int64_t exponent) {
  T result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = multiply(result, base);
    base = multiply(base, base);
  }
  return result;
}

template <class T, class U>
Result<void> eval_pow_as(const Eval& node) {
  const TensorView &a = node.in[0], &b = node.in[1], &out = node.out[0];
  if constexpr (std::is_integral_v<T> && std::is_integral_v<U>) {
    if (std::ranges::any_of(b.as<const U>(), [](U e) { return e < 0; }))
      return node.fail("integer base with a negative exponent");
    apply_mixed<T, U, T>(a, b, out, [](T x, U e) { return power(x, e); });
  } else {
    using F = std::conditional_t<std::is_integral_v<T>, double, T>;
    apply_mixed<T, U, T>(a, b, out, [](T base, U exponent) {
      const F x = static_cast<F>(base), e = static_cast<F>(exponent);
      const F y = e == 2 ? x * x : std::pow(x, e);
      if constexpr (std::is_integral_v<T>)
        return saturate<T>(y);
      else
        return y;
    });
  }
  return {};
}

Result<void> eval_pow(Eval& node) {
  return visit_number(node.in[0].dtype, [&]<class T>() {
    return visit_number(node.in[1].dtype, [&]<class U>() { return eval_pow_as<T, U>(node); });
  });
}

template <class F>
Result<void> eval_many(Eval& node) {
  const TensorView& out = node.out[0];
  copy_strided(node.in[0].bytes, out.bytes, broadcast_walk<1>({node.in[0].shape}, out.shape),
               size_of(out.dtype));
  visit_number(out.dtype, [&]<class T>() {
    for (size_t i = 1; i < node.in.size(); ++i)
      apply_broadcast<T, T>(out, node.in[i], out, F{});
  });
  return {};
}

Result<void> eval_mean(Eval& node) {
  VULTUS_CHECK(eval_many<Add>(node));
  visit_number(node.out[0].dtype, [&]<class T>() {
    for (T& v : node.out[0].as<T>())
      v = v / static_cast<T>(node.in.size());
  });
  return {};
}

const Register add_({.name = "Add",
                     .since = 7,
                     .infer = infer_binary,
                     .eval = eval_add,
                     .build = cpu::build_binary});
const Register sub({.name = "Sub",
                    .since = 7,
                    .infer = infer_binary,
                    .eval = eval_binary<Sub>,
                    .build = cpu::build_binary});
const Register mul({.name = "Mul",
                    .since = 7,
                    .infer = infer_binary,
                    .eval = eval_binary<Mul>,
                    .build = cpu::build_binary});
const Register div({.name = "Div",
                    .since = 7,
                    .infer = infer_binary,
                    .eval = eval_div,
                    .build = cpu::build_binary});
const Register mod({.name = "Mod", .since = 10, .infer = infer_mod, .eval = eval_mod});
const Register pow({.name = "Pow", .since = 7, .infer = infer_pow, .eval = eval_pow});
const Register prelu(
    {.name = "PRelu", .since = 7, .infer = infer_prelu, .eval = eval_binary<PRelu>});
const Register max({.name = "Max",
                    .since = 8,
                    .infer = infer_many,
                    .eval = eval_many<Max>,
                    .build = cpu::build_binary});
const Register min({.name = "Min",
                    .since = 8,
                    .infer = infer_many,
                    .eval = eval_many<Min>,
                    .build = cpu::build_binary});
const Register sum({.name = "Sum", .since = 8, .infer = infer_many, .eval = eval_many<Add>});
const Register mean({.name = "Mean", .since = 8, .infer = infer_many, .eval = eval_mean});

}  // namespace
}  // namespace vultus
