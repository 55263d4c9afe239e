#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/index.glsl"
// Moves a tensor between the host's form (row-major float32) and the two device layouts.
layout(local_size_x = 64) in;

const uint kLinear = 0u, kNhwc8 = 1u, kRaw = 2u;
layout(constant_id = 0) const uint kFrom = 0u;
layout(constant_id = 1) const uint kTo = 1u;

layout(push_constant) uniform Push {
  uint elements;
  uint channels;  // these two only where a side is nhwc8
  uint pixels;
};
layout(std430, binding = 0) readonly buffer X { SCALAR x[]; };
layout(std430, binding = 0) readonly buffer XGroups { GROUP x_groups[]; };
layout(std430, binding = 0) readonly buffer XRaw { float x_raw[]; };
layout(std430, binding = 0) readonly buffer XQuads { vec4 x_quads[]; };
layout(std430, binding = 1) writeonly buffer Y { SCALAR y[]; };
layout(std430, binding = 1) writeonly buffer YGroups { GROUP y_groups[]; };
layout(std430, binding = 1) writeonly buffer YRaw { float y_raw[]; };
layout(std430, binding = 1) writeonly buffer YQuads { vec4 y_quads[]; };

float load(uint i) { return kFrom == kRaw ? x_raw[i] : float(x[i]); }
void store(uint i, float v) {
  if (kTo == kRaw) y_raw[i] = v; else y[i] = SCALAR(v);
}

// One invocation moves 8 consecutive elements; buffers are padded for the last one.
void straight(uint i) {
  if (8u * i >= elements) return;
  Group g;
  if (kFrom == kRaw) g = Group(x_quads[2u * i], x_quads[2u * i + 1u]); else g = LOAD_GROUP(x_groups, i);
  if (kTo == kRaw) { y_quads[2u * i] = g.lo; y_quads[2u * i + 1u] = g.hi; } else STORE_GROUP(y_groups, i, g);
}

// One invocation moves 8 channels of a pixel; neighbours in x take neighbouring pixels, which lie side by side in row-major.
void transpose(uint index) {
  uint groups = (channels + 7u) / 8u;
  uint pixel = index % pixels;
  uint g = (index / pixels) % groups;
  uint n = index / (pixels * groups);
  if (n * channels * pixels >= elements) return;
  uint linear = (n * channels + 8u * g) * pixels + pixel;
  uint packed = (n * pixels + pixel) * groups + g;
  uint lanes = min(8u, channels - 8u * g);
  float v[8];
  if (kFrom == kNhwc8) {
    Group group = LOAD_GROUP(x_groups, packed);
    v = float[8](group.lo.x, group.lo.y, group.lo.z, group.lo.w, group.hi.x, group.hi.y, group.hi.z, group.hi.w);
    for (uint k = 0u; k < lanes; ++k) store(linear + k * pixels, v[k]);
  } else {
    [[unroll]] for (uint k = 0u; k < 8u; ++k) v[k] = k < lanes ? load(linear + k * pixels) : 0.0;
    Group group = Group(vec4(v[0], v[1], v[2], v[3]), vec4(v[4], v[5], v[6], v[7]));
    STORE_GROUP(y_groups, packed, group);
  }
}

void main() {
  if (kFrom == kNhwc8 || kTo == kNhwc8) transpose(thread_index());
  else straight(thread_index());
}
