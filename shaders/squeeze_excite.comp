#version 450
// The gate of squeeze-and-excitation (Hu et al. 2018): average over all pixels, two small matrix products with their
// activations. A workgroup computes one image. Sums are fp32.
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/activation.glsl"

layout(local_size_x = 256) in;
#include "common/index.glsl"
layout(constant_id = 0) const uint kSqueezeActivation = 0;
layout(constant_id = 1) const uint kGateActivation = 0;

layout(std430, binding = 0) readonly buffer Input { GROUP x[]; };
layout(std430, binding = 1) readonly buffer SqueezeWeights { GROUP w1[]; };  // [hidden][group]
layout(std430, binding = 2) readonly buffer SqueezeBias { float b1[]; };
layout(std430, binding = 3) readonly buffer ExciteWeights { GROUP w2[]; };   // [hidden][group]
layout(std430, binding = 4) readonly buffer ExciteBias { vec4 b2[]; };
layout(std430, binding = 5) writeonly buffer Output { GROUP y[]; };

layout(push_constant) uniform Push {
  uint images, groups, pixels, channels, hidden;
  float squeeze_alpha, squeeze_beta, gate_alpha, gate_beta;
};

const uint kThreads = 256u, kParts = 8u;  // kParts threads share a hidden unit
const uint kMaxGroups = 256u;             // gpu/ops/squeeze_excite.cpp
shared vec4 mean_lo[kMaxGroups], mean_hi[kMaxGroups];
shared vec4 part_lo[kThreads], part_hi[kThreads];
shared float hidden_part[kThreads * kParts];

void main() {
  uint image = team_index();
  if (image >= images) return;
  uint t = gl_LocalInvocationID.x;

  // Neighbouring threads read neighbouring groups.
  uint slices = kThreads / groups;
  uint g = t % groups, slice = t / groups;
  Group sum = kZeroGroup;
  if (slice < slices) {
    uint at = (image * pixels + slice) * groups + g;
    for (uint p = slice; p < pixels; p += slices) {
      Group a = LOAD_GROUP(x, at);
      sum = Group(sum.lo + a.lo, sum.hi + a.hi);
      at += slices * groups;
    }
  }
  part_lo[t] = sum.lo;
  part_hi[t] = sum.hi;
  barrier();
  if (t < groups) {
    for (uint s = 1u; s < slices; ++s) {
      sum.lo += part_lo[t + s * groups];
      sum.hi += part_hi[t + s * groups];
    }
    mean_lo[t] = sum.lo / float(pixels);
    mean_hi[t] = sum.hi / float(pixels);
  }
  barrier();

  for (uint i = t; i < hidden * kParts; i += kThreads) {
    uint unit = i / kParts;
    float part = 0.0;
    for (uint k = i % kParts; k < groups; k += kParts) {
      Group w = LOAD_GROUP(w1, unit * groups + k);
      part += dot(w.lo, mean_lo[k]) + dot(w.hi, mean_hi[k]);
    }
    hidden_part[i] = part;
  }
  barrier();
  if (t < hidden) {
    float v = b1[t];
    for (uint k = 0u; k < kParts; ++k) v += hidden_part[t * kParts + k];
    part_lo[t].x = activate1(v, kSqueezeActivation, squeeze_alpha, squeeze_beta);
  }
  barrier();

  if (t < groups) {
    Group v = Group(b2[2u * t], b2[2u * t + 1u]);
    for (uint h = 0u; h < hidden; ++h) {
      Group w = LOAD_GROUP(w2, h * groups + t);
      v = Group(v.lo + part_lo[h].x * w.lo, v.hi + part_lo[h].x * w.hi);
    }
    v = Group(activate(v.lo, kGateActivation, gate_alpha, gate_beta),
              activate(v.hi, kGateActivation, gate_alpha, gate_beta));
    STORE_GROUP(y, image * groups + t, mask_group(v, t, channels));
  }
}
