#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// TopK without sorting: an element's place is the number of elements before it. Linear tensors [outer, length, inner].
layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const uint kSmallest = 0u;
layout(std430, binding = 0) readonly buffer X { SCALAR x[]; };
layout(std430, binding = 1) writeonly buffer Values { SCALAR values[]; };
layout(std430, binding = 2) writeonly buffer Indices { int indices[]; };
layout(push_constant) uniform Push { uint total, length, inner, k; };

// Orders all floats, NaN included, so that no two elements of a row claim the same place.
uint key(float v) {
  if (isnan(v)) return kSmallest == 1u ? 0u : 0xffffffffu;
  uint bits = floatBitsToUint(v == 0.0 ? 0.0 : v);
  uint up = (bits & 0x80000000u) != 0u ? ~bits : bits | 0x80000000u;
  return kSmallest == 1u ? ~up : up;
}

void main() {
  uint at = thread_index();
  if (at >= total) return;
  uint column = at % inner, own = at / inner % length, outer = at / inner / length;
  uint base = outer * length * inner + column;
  float v = float(x[at]);
  uint mine = key(v);
  uint place = 0u;
  for (uint i = 0u; i < length; ++i) {
    uint other = key(float(x[base + i * inner]));
    place += uint(other > mine || (other == mine && i < own));
  }
  if (place < k) {
    uint to = (outer * k + place) * inner + column;
    values[to] = SCALAR(v);
    indices[to] = int(own);
  }
}
