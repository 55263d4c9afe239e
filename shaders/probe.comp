#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : enable
#include "common/index.glsl"
// Measures the device itself: an empty kernel, a copy, multiply-adds in registers (gpu/probe.cpp).
layout(local_size_x = 64) in;

layout(constant_id = 0) const uint kMode = 0u;  // 0 nothing, 1 copy, 2 multiply-adds
layout(push_constant) uniform Push {
  uint count;       // of quads
  uint iterations;  // of 32 multiply-adds each
  float scale;
};
layout(std430, binding = 0) readonly buffer X { vec4 x[]; };
layout(std430, binding = 1) writeonly buffer Y { vec4 y[]; };

void main() {
  if (kMode == 0u) return;
  uint i = thread_index();
  if (i >= count) return;
  if (kMode == 1u) {
    y[i] = x[i];
    return;
  }
  vec4 a[8];
  [[unroll]] for (uint k = 0u; k < 8u; ++k) a[k] = x[k] + float(i);
  vec4 scales = vec4(scale);
  for (uint n = 0u; n < iterations; ++n) {
    [[unroll]] for (uint k = 0u; k < 8u; ++k) a[k] = fma(a[k], scales, vec4(1.0));
  }
  vec4 sum = a[0] + a[1] + a[2] + a[3] + a[4] + a[5] + a[6] + a[7];
  if (sum.x == 0.125) y[i] = sum;  // never, but the compiler cannot know
}
