#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/index.glsl"
// One input, one output, element by element, in either layout: 8 elements per invocation.
layout(local_size_x = 64) in;

layout(constant_id = 0) const uint kFunction = 0u;  // numbers of gpu/ops/unary.cpp
layout(constant_id = 1) const uint kChannels = 0u;  // nhwc8 with padding lanes to keep zero; else 0

layout(push_constant) uniform Push {
  uint groups;  // groups of 8 in the tensor
  float alpha;
  float beta;
};
layout(std430, binding = 0) readonly buffer X { GROUP x[]; };
layout(std430, binding = 1) writeonly buffer Y { GROUP y[]; };

vec4 sigmoid(vec4 v) { return 1.0 / (1.0 + exp(-v)); }

// Abramowitz and Stegun 7.1.26 gives 1.5e-7 absolute, but nothing relative near 0: there the series.
vec4 erf_of(vec4 v) {
  vec4 a = abs(v);
  vec4 t = 1.0 / (1.0 + 0.3275911 * a);
  vec4 p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  vec4 far = sign(v) * (1.0 - p * exp(-a * a));
  vec4 s = v * v;
  vec4 near = v * (1.1283791671 + s * (-0.3761263890 + s * (0.1128379167 + s * (-0.0268661706 + s * 0.0052239776))));
  return mix(far, near, lessThan(a, vec4(0.3)));
}

// log(1 + e) loses what is small: there the series.
vec4 softplus(vec4 v) {
  vec4 e = exp(-abs(v));
  return max(v, vec4(0)) + mix(log(1.0 + e), e * (1.0 - e * (0.5 - e / 3.0)), lessThan(e, vec4(0.01)));
}

// v tanh(log(1 + e^v)), without the cancellation.
vec4 mish(vec4 v) {
  vec4 e = exp(min(v, vec4(20)));
  vec4 n = e * (e + 2.0);
  return v * n / (n + 2.0);
}

// To within -pi..pi, where alone Vulkan promises accuracy; 2 pi in two parts (Cody and Waite 1980).
vec4 one_turn(vec4 v) {
  vec4 k = roundEven(v * 0.15915494309);
  return (v - k * 6.28125) - k * 0.00193530717959;
}

vec4 apply(vec4 v) {
  switch (kFunction) {
    case 0u: return max(v, vec4(0));
    case 1u: return mix(v, alpha * v, lessThan(v, vec4(0)));
    case 2u: return sigmoid(v);
    case 3u: return tanh(clamp(v, vec4(-20), vec4(20)));
    case 4u: return min(max(v, vec4(alpha)), vec4(beta));
    case 5u: return clamp(alpha * v + beta, vec4(0), vec4(1));
    case 6u: return v * clamp(v / 6.0 + 0.5, vec4(0), vec4(1));
    case 7u: return v * sigmoid(v);
    case 8u: return mix(v, alpha * (exp(min(v, vec4(0))) - 1.0), lessThan(v, vec4(0)));
    case 9u: return exp(v);
    case 10u: return log(v);
    case 11u: return sqrt(v);
    case 12u: return abs(v);
    case 13u: return -v;
    case 14u: return 1.0 / v;
    case 15u: return floor(v);
    case 16u: return ceil(v);
    case 17u: return erf_of(v);
    case 18u: return softplus(v);
    case 19u: return 1.0 - v;
    case 20u: return sign(v);
    case 21u: return roundEven(v);
    case 22u: return sin(one_turn(v));
    case 23u: return cos(one_turn(v));
    case 24u: return beta * mix(v, alpha * (exp(min(v, vec4(0))) - 1.0), lessThan(v, vec4(0)));
    case 25u: return mish(v);
    case 26u: return 0.5 * v * (1.0 + erf_of(0.70710678118 * v));
    case 27u: return 0.5 * v * (1.0 + tanh(clamp(0.79788456080 * (v + 0.044715 * v * v * v), vec4(-20), vec4(20))));
    default: return v;
  }
}

void main() {
  uint i = thread_index();
  if (i >= groups) return;
  Group g = LOAD_GROUP(x, i);
  g = Group(apply(g.lo), apply(g.hi));
  if (kChannels != 0u) g = mask_group(g, i % ((kChannels + 7u) / 8u), kChannels);
  STORE_GROUP(y, i, g);
}
