#include <algorithm>
#include <cmath>

#include "host/graph/activation.hpp"
#include "host/ops/pointwise_program.hpp"
#include "host/ops/strided.hpp"

// The interpreter: stretches of a few hundred elements, so that all registers stay in the first
// cache level, and one loop an instruction, so that the compiler can vectorise it.

namespace vultus {
namespace {

constexpr int64_t kStretch = 256;
constexpr size_t kMostInputs = PointwiseProgram::kMostInputs;
constexpr size_t kMostRegisters =
    kMostInputs + PointwiseProgram::kMostImmediates + PointwiseProgram::kMostInstructions;

template <class F>
void each(float* out, int64_t n, const float* a, F f) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = f(a[i]);
}
template <class F>
void each(float* out, int64_t n, const float* a, const float* b, F f) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = f(a[i], b[i]);
}
template <class F>
void each(float* out, int64_t n, const float* a, const float* b, const float* c, F f) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = f(a[i], b[i], c[i]);
}

void activation(float* out, int64_t n, const float* a, Activation kind) {
  const Epilogue epilogue{kind};
  each(out, n, a, [&](float x) { return apply(epilogue, x); });
}

/// Arithmetic, comparisons and choices; false when `op` is none of them.
bool arithmetic(PointwiseOp op, float* out, int64_t n, const float* a, const float* b,
                const float* c) {
  auto truth = [](bool t) { return t ? 1.0f : 0.0f; };
  switch (op) {
    case PointwiseOp::add:
      return each(out, n, a, b, [](float x, float y) { return x + y; }), true;
    case PointwiseOp::sub:
      return each(out, n, a, b, [](float x, float y) { return x - y; }), true;
    case PointwiseOp::mul:
      return each(out, n, a, b, [](float x, float y) { return x * y; }), true;
    case PointwiseOp::div:
      return each(out, n, a, b, [](float x, float y) { return x / y; }), true;
    case PointwiseOp::pow:
      each(out, n, a, b, [](float x, float y) { return y == 2 ? x * x : std::pow(x, y); });
      return true;
    case PointwiseOp::max:
      each(out, n, a, b, [](float x, float y) { return x > y || x != x ? x : y; });
      return true;
    case PointwiseOp::min:
      each(out, n, a, b, [](float x, float y) { return x < y || x != x ? x : y; });
      return true;
    case PointwiseOp::prelu:
      return each(out, n, a, b, [](float x, float y) { return x < 0 ? y * x : x; }), true;
    case PointwiseOp::equal:
      return each(out, n, a, b, [&](float x, float y) { return truth(x == y); }), true;
    case PointwiseOp::greater:
      return each(out, n, a, b, [&](float x, float y) { return truth(x > y); }), true;
    case PointwiseOp::greater_or_equal:
      return each(out, n, a, b, [&](float x, float y) { return truth(x >= y); }), true;
    case PointwiseOp::less:
      return each(out, n, a, b, [&](float x, float y) { return truth(x < y); }), true;
    case PointwiseOp::less_or_equal:
      return each(out, n, a, b, [&](float x, float y) { return truth(x <= y); }), true;
    case PointwiseOp::both:
      return each(out, n, a, b, [](float x, float y) { return x * y; }), true;
    case PointwiseOp::either:
      return each(out, n, a, b, [](float x, float y) { return std::max(x, y); }), true;
    case PointwiseOp::exclusive:
      return each(out, n, a, b, [&](float x, float y) { return truth(x != y); }), true;
    case PointwiseOp::where:
      each(out, n, a, b, c, [](float x, float y, float z) { return x != 0 ? y : z; });
      return true;
    case PointwiseOp::clip:
      each(out, n, a, b, c,
           [](float x, float low, float high) { return std::min(std::max(x, low), high); });
      return true;
    case PointwiseOp::hard_sigmoid:
      each(out, n, a, b, c, [](float x, float scale, float shift) {
        return std::min(std::max(scale * x + shift, 0.0f), 1.0f);
      });
      return true;
    default:
      return false;
  }
}

void function(PointwiseOp op, float* out, int64_t n, const float* a) {
  switch (op) {
    case PointwiseOp::relu:
      return activation(out, n, a, Activation::relu);
    case PointwiseOp::sigmoid:
      return activation(out, n, a, Activation::sigmoid);
    case PointwiseOp::tanh:
      return activation(out, n, a, Activation::tanh);
    case PointwiseOp::hard_swish:
      return activation(out, n, a, Activation::hard_swish);
    case PointwiseOp::silu:
      return activation(out, n, a, Activation::silu);
    case PointwiseOp::exp:
      return each(out, n, a, [](float x) { return std::exp(x); });
    case PointwiseOp::log:
      return each(out, n, a, [](float x) { return std::log(x); });
    case PointwiseOp::sqrt:
      return each(out, n, a, [](float x) { return std::sqrt(x); });
    case PointwiseOp::abs:
      return each(out, n, a, [](float x) { return std::abs(x); });
    case PointwiseOp::neg:
      return each(out, n, a, [](float x) { return -x; });
    case PointwiseOp::reciprocal:
      return each(out, n, a, [](float x) { return 1 / x; });
    case PointwiseOp::floor:
      return each(out, n, a, [](float x) { return std::floor(x); });
    case PointwiseOp::ceil:
      return each(out, n, a, [](float x) { return std::ceil(x); });
    case PointwiseOp::round:
      return each(out, n, a, [](float x) { return std::nearbyint(x); });
    case PointwiseOp::sign:
      return each(out, n, a,
                  [](float x) { return x != x ? x : static_cast<float>((x > 0) - (x < 0)); });
    case PointwiseOp::negation:
      return each(out, n, a, [](float x) { return 1 - x; });
    default:
      return each(out, n, a, [](float x) { return x != 0 ? 1.0f : 0.0f; });
  }
}

/// `n` elements from `at`, `step` apart, as floats: where they lie when that is how they lie.
const float* fetch(const PointwiseOperand& operand, int64_t at, int64_t step, int64_t n,
                   float* space) {
  if (operand.dtype == DType::boolean) {
    const bool* from = reinterpret_cast<const bool*>(operand.data) + at;
    for (int64_t i = 0; i < n; ++i)
      space[i] = from[i * step] ? 1.0f : 0.0f;
    return space;
  }
  const float* from = reinterpret_cast<const float*>(operand.data) + at;
  if (step == 1) return from;
  if (step == 0)
    std::fill_n(space, n, *from);
  else
    for (int64_t i = 0; i < n; ++i)
      space[i] = from[i * step];
  return space;
}

void store(const PointwiseOperand& operand, int64_t at, const float* from, int64_t n) {
  if (operand.dtype == DType::boolean) {
    bool* to = reinterpret_cast<bool*>(operand.data) + at;
    for (int64_t i = 0; i < n; ++i)
      to[i] = from[i] != 0;
  } else {
    std::copy_n(from, n, reinterpret_cast<float*>(operand.data) + at);
  }
}

}  // namespace

void run_pointwise(const PointwiseProgram& p, std::span<const int64_t> dims,
                   std::span<const PointwiseOperand> inputs,
                   std::span<const PointwiseOperand> results) {
  Walk<kMostInputs + 1> walk;
  int64_t dense = 1;
  for (int64_t d : dims)
    dense *= d;
  for (size_t axis = 0; axis < dims.size(); ++axis) {
    std::array<int64_t, kMostInputs + 1> strides{};
    for (size_t k = 0; k < inputs.size(); ++k)
      strides[k] = inputs[k].strides[static_cast<int>(axis)];
    dense /= std::max<int64_t>(dims[axis], 1);
    strides[kMostInputs] = dense;
    walk.add(dims[axis], strides);
  }
  for_runs(walk, [&](const auto& start, const auto& step, int64_t length) {
    alignas(64) float space[kMostRegisters][kStretch];
    std::array<const float*, kMostRegisters> registers{};
    auto own = [&](size_t r) { return static_cast<float*>(space[r]); };
    const size_t fixed = inputs.size() + p.immediates.size();
    for (size_t k = inputs.size(); k < fixed; ++k) {
      std::fill_n(own(k), std::min(kStretch, length), p.immediates[k - inputs.size()]);
      registers[k] = own(k);
    }
    for (int64_t first = 0; first < length; first += kStretch) {
      const int64_t n = std::min(kStretch, length - first);
      for (size_t k = 0; k < inputs.size(); ++k)
        registers[k] = fetch(inputs[k], start[k] + first * step[k], step[k], n, own(k));
      for (size_t i = 0; i < p.code.size(); ++i) {
        const PointwiseInstruction& code = p.code[i];
        const float *a = registers[code.a], *b = registers[code.b], *c = registers[code.c];
        float* out = own(fixed + i);
        if (!arithmetic(code.op, out, n, a, b, c)) function(code.op, out, n, a);
        registers[fixed + i] = out;
      }
      for (size_t r = 0; r < results.size(); ++r)
        store(results[r], start[kMostInputs] + first, registers[p.results[r]], n);
    }
  });
}

}  // namespace vultus
