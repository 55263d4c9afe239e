#version 450
// Maximum or average over all pixels; a workgroup computes 8 channels of one image. Sums are fp32.
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"

layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const bool kAverage = false;

layout(std430, binding = 0) readonly buffer Input { GROUP x[]; };
layout(std430, binding = 1) writeonly buffer Output { GROUP y[]; };

layout(push_constant) uniform Push { uint teams, groups, pixels; };

shared vec4 partial_lo[64], partial_hi[64];

void main() {
  uint team = team_index();
  uint lane = gl_LocalInvocationID.x;
  uint g = team % groups;
  uint first = team / groups * pixels;
  float start = kAverage ? 0.0 : -1.0 / 0.0;
  Group v = Group(vec4(start), vec4(start));
  uint end = team < teams ? pixels : 0u;
  for (uint p = lane; p < end; p += 64u) {
    Group a = LOAD_GROUP(x, (first + p) * groups + g);
    if (kAverage) {
      v = Group(v.lo + a.lo, v.hi + a.hi);
    } else {
      v = Group(max(v.lo, a.lo), max(v.hi, a.hi));
    }
  }
  partial_lo[lane] = v.lo;
  partial_hi[lane] = v.hi;
  barrier();
  if (lane != 0u || team >= teams) return;
  for (uint i = 1; i < min(pixels, 64u); ++i) {
    if (kAverage) {
      v = Group(v.lo + partial_lo[i], v.hi + partial_hi[i]);
    } else {
      v = Group(max(v.lo, partial_lo[i]), max(v.hi, partial_hi[i]));
    }
  }
  if (kAverage) v = Group(v.lo / float(pixels), v.hi / float(pixels));
  STORE_GROUP(y, team, v);
}
