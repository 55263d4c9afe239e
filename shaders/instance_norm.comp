#version 450
// Scale and shift that bring 8 channels of one image to mean 0 and variance 1 and then to weight and bias; a
// workgroup makes two passes in fp32, because the variance from sums of squares cancels. batch_norm applies them.
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"

layout(local_size_x = 64) in;
#include "common/index.glsl"

layout(std430, binding = 0) readonly buffer Input { GROUP x[]; };
layout(std430, binding = 1) readonly buffer Weight { vec4 weight[]; };
layout(std430, binding = 2) readonly buffer Bias { vec4 bias[]; };
layout(std430, binding = 3) writeonly buffer Scale { vec4 scale[]; };
layout(std430, binding = 4) writeonly buffer Shift { vec4 shift[]; };

layout(push_constant) uniform Push {
  uint teams, groups, pixels;
  float epsilon;
};

shared vec4 partial_lo[64], partial_hi[64];

// The sum over the workgroup, for every thread.
Group total(Group v) {
  uint lane = gl_LocalInvocationID.x;
  partial_lo[lane] = v.lo;
  partial_hi[lane] = v.hi;
  barrier();
  Group sum = kZeroGroup;
  for (uint i = 0; i < min(pixels, 64u); ++i) sum = Group(sum.lo + partial_lo[i], sum.hi + partial_hi[i]);
  barrier();
  return sum;
}

void main() {
  uint team = team_index();
  uint lane = gl_LocalInvocationID.x;
  uint g = team % groups;
  uint first = team / groups * pixels;
  uint end = team < teams ? pixels : 0u;
  Group v = kZeroGroup;
  for (uint p = lane; p < end; p += 64u) {
    Group a = LOAD_GROUP(x, (first + p) * groups + g);
    v = Group(v.lo + a.lo, v.hi + a.hi);
  }
  Group mean = total(v);
  mean = Group(mean.lo / float(pixels), mean.hi / float(pixels));
  v = kZeroGroup;
  for (uint p = lane; p < end; p += 64u) {
    Group a = LOAD_GROUP(x, (first + p) * groups + g);
    vec4 lo = a.lo - mean.lo;
    vec4 hi = a.hi - mean.hi;
    v = Group(v.lo + lo * lo, v.hi + hi * hi);
  }
  Group variance = total(v);
  if (lane != 0u || team >= teams) return;
  vec4 lo = weight[2u * g] / sqrt(variance.lo / float(pixels) + epsilon);
  vec4 hi = weight[2u * g + 1u] / sqrt(variance.hi / float(pixels) + epsilon);
  scale[2u * team] = lo;
  scale[2u * team + 1u] = hi;
  shift[2u * team] = bias[2u * g] - mean.lo * lo;
  shift[2u * team + 1u] = bias[2u * g + 1u] - mean.hi * hi;
}
