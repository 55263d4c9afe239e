#pragma once

#include "host/cpu/simd.hpp"
#include "host/graph/activation.hpp"

namespace vultus::cpu {

/// Coefficients of 2^f for |f| up to a half: relative error 2.4e-7 in floats (Remez, relative).
constexpr float kExp2[] = {1.0f,          0.693146944f,   0.240221202f,
                           0.0555071346f, 0.00967554189f, 0.00132764678f};

/// e^x for |x| up to 87 (beyond, its value there), to 1e-6 of it or better where |x| < 10. 2^t is
/// 2^n * 2^f with n whole and |f| at most a half.
VULTUS_INLINE Vec exp_of(Vec x) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
  Vec t = x * 1.44269504f;
  t = t > -126.0f ? t : Vec{} - 126.0f;
  t = t < 126.0f ? t : Vec{} + 126.0f;
  const Vec shifted = t + kRound;
  const Vec f = t - (shifted - kRound);
  Vec p = f * kExp2[5] + kExp2[4];
  p = p * f + kExp2[3];
  p = p * f + kExp2[2];
  p = p * f + kExp2[1];
  p = p * f + kExp2[0];
  // The low bits of `shifted` are n, which belongs into the exponent.
  return reinterpret_cast<Vec>(reinterpret_cast<IntVec>(p) +
                               (reinterpret_cast<IntVec>(shifted) << 23));
}

/// Whether `activate` knows the activation.
inline bool has_vector_form(Activation kind) {
  return kind == Activation::none || kind == Activation::relu || kind == Activation::leaky_relu ||
         kind == Activation::silu;
}

/// The activation of `count` vectors; `slope` is leaky ReLU's.
template <int count>
VULTUS_INLINE void activate(Vec (&v)[count], Activation kind, float slope) {
  if (kind == Activation::relu) {
#pragma GCC unroll 16
    for (int i = 0; i < count; ++i)
      v[i] = v[i] > 0.0f ? v[i] : Vec{};
  } else if (kind == Activation::leaky_relu) {
#pragma GCC unroll 16
    for (int i = 0; i < count; ++i)
      v[i] = v[i] > 0.0f ? v[i] : v[i] * slope;
  } else if (kind == Activation::silu) {
#pragma GCC unroll 16
    for (int i = 0; i < count; ++i)
      v[i] = v[i] / (exp_of(-v[i]) + 1.0f);
  }
}

}  // namespace vultus::cpu
