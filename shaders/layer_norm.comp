#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// LayerNormalization of linear rows, a workgroup each.
layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const uint kBias = 0u;
layout(constant_id = 1) const uint kMean = 0u;
layout(constant_id = 2) const uint kDeviation = 0u;
layout(std430, binding = 0) readonly buffer X { SCALAR x[]; };
layout(std430, binding = 1) readonly buffer Scale { SCALAR scale[]; };
layout(std430, binding = 2) readonly buffer Bias { SCALAR bias[]; };
layout(std430, binding = 3) writeonly buffer Y { SCALAR y[]; };
layout(std430, binding = 4) writeonly buffer Mean { SCALAR means[]; };
layout(std430, binding = 5) writeonly buffer Deviation { SCALAR deviations[]; };  // inverse
layout(push_constant) uniform Push { uint total, length; float epsilon; };  // total: rows

shared float team[64];

float team_sum(float v) {
  uint t = gl_LocalInvocationID.x;
  barrier();
  team[t] = v;
  for (uint half_ = 32u; half_ > 0u; half_ /= 2u) {
    barrier();
    if (t < half_) team[t] += team[t + half_];
  }
  barrier();
  return team[0];
}

void main() {
  uint row = team_index();
  if (row >= total) return;
  uint t = gl_LocalInvocationID.x, base = row * length;
  float sum = 0.0;
  for (uint i = t; i < length; i += 64u)
    sum += float(x[base + i]);
  float mean = team_sum(sum) / float(length);
  float squares = 0.0;
  for (uint i = t; i < length; i += 64u) {
    float d = float(x[base + i]) - mean;
    squares += d * d;
  }
  float inverse = inversesqrt(team_sum(squares) / float(length) + epsilon);
  if (t == 0u) {
    if (kMean == 1u) means[row] = SCALAR(mean);
    if (kDeviation == 1u) deviations[row] = SCALAR(inverse);
  }
  for (uint i = t; i < length; i += 64u) {
    float v = (float(x[base + i]) - mean) * inverse * float(scale[i]);
    y[base + i] = SCALAR(kBias == 1u ? v + float(bias[i]) : v);
  }
}
