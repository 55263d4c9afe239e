#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// Cast, element by stored element, between integers, floats and booleans (0 and 1 in the storage type).
layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const uint kFromInts = 0u;
layout(constant_id = 1) const uint kTo = 0u;  // 0 float, 1 int, 2 bool
layout(std430, binding = 0) readonly buffer X { SCALAR x[]; };
layout(std430, binding = 0) readonly buffer XInts { int x_ints[]; };
layout(std430, binding = 1) writeonly buffer Y { SCALAR y[]; };
layout(std430, binding = 1) writeonly buffer YInts { int y_ints[]; };
layout(push_constant) uniform Push { uint total; };

// NaN becomes 0 and what is out of range the nearest integer, as on the host.
int truncated(float v) {
  if (isnan(v)) return 0;
  if (v >= 2147483648.0) return 2147483647;
  if (v <= -2147483648.0) return -2147483647 - 1;
  return int(v);
}

void main() {
  uint i = thread_index();
  if (i >= total) return;
  if (kFromInts == 1u) {
    int v = x_ints[i];
    y[i] = SCALAR(kTo == 2u ? float(v != 0) : float(v));
  } else {
    float v = float(x[i]);
    if (kTo == 1u) {
      y_ints[i] = truncated(v);
    } else {
      y[i] = SCALAR(float(v != 0.0));
    }
  }
}
