#version 450
// Brings every channel of every image to mean 0 and variance 1, then to weight and bias, then activates. A workgroup
// serves 8 channels of one image; two passes for the statistics, because the variance from sums of squares cancels.
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/activation.glsl"

layout(local_size_x_id = 0) in;  // a power of two, at most kMostThreads
#include "common/index.glsl"
layout(constant_id = 1) const uint kActivation = 0;
const uint kMostThreads = 256u;

layout(std430, binding = 0) readonly buffer Input { GROUP x[]; };
layout(std430, binding = 1) readonly buffer Weight { vec4 weight[]; };
layout(std430, binding = 2) readonly buffer Bias { vec4 bias[]; };
layout(std430, binding = 3) writeonly buffer Output { GROUP y[]; };

layout(push_constant) uniform Push {
  uint teams, channels, pixels;
  float epsilon, alpha, beta;
};

shared vec4 partial_lo[kMostThreads], partial_hi[kMostThreads];

// The mean over the image of what the threads have summed up, for every thread.
Group mean_of(Group v) {
  uint lane = gl_LocalInvocationID.x;
  partial_lo[lane] = v.lo;
  partial_hi[lane] = v.hi;
  for (uint half_ = gl_WorkGroupSize.x / 2u; half_ > 0u; half_ /= 2u) {
    barrier();
    if (lane < half_) {
      partial_lo[lane] += partial_lo[lane + half_];
      partial_hi[lane] += partial_hi[lane + half_];
    }
  }
  barrier();
  Group sum = Group(partial_lo[0], partial_hi[0]);
  barrier();
  return Group(sum.lo / float(pixels), sum.hi / float(pixels));
}

void main() {
  uint team = team_index();
  uint groups = (channels + 7u) / 8u;
  uint g = team % groups;
  uint first = team / groups * pixels * groups + g;  // pixel p lies at first + p * groups
  uint end = team < teams ? pixels : 0u;
  Group v = kZeroGroup;
  for (uint p = gl_LocalInvocationID.x; p < end; p += gl_WorkGroupSize.x) {
    Group a = LOAD_GROUP(x, first + p * groups);
    v = Group(v.lo + a.lo, v.hi + a.hi);
  }
  Group mean = mean_of(v);
  v = kZeroGroup;
  for (uint p = gl_LocalInvocationID.x; p < end; p += gl_WorkGroupSize.x) {
    Group a = LOAD_GROUP(x, first + p * groups);
    vec4 lo = a.lo - mean.lo;
    vec4 hi = a.hi - mean.hi;
    v = Group(v.lo + lo * lo, v.hi + hi * hi);
  }
  Group variance = mean_of(v);
  vec4 scale_lo = weight[2u * g] / sqrt(variance.lo + epsilon);
  vec4 scale_hi = weight[2u * g + 1u] / sqrt(variance.hi + epsilon);
  vec4 shift_lo = bias[2u * g] - mean.lo * scale_lo;
  vec4 shift_hi = bias[2u * g + 1u] - mean.hi * scale_hi;
  for (uint p = gl_LocalInvocationID.x; p < end; p += gl_WorkGroupSize.x) {
    Group a = LOAD_GROUP(x, first + p * groups);
    a = Group(activate(a.lo * scale_lo + shift_lo, kActivation, alpha, beta),
              activate(a.hi * scale_hi + shift_hi, kActivation, alpha, beta));
    STORE_GROUP(y, first + p * groups, mask_group(a, g, channels));
  }
}
