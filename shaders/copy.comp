#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// Strided copy: whatever moves elements without changing them. A unit is a scalar of the storage type, a group of 8 of
// them, or a 32-bit word. Steps of the last level at and beyond `valid` (in scalars) write zero.
layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const uint kUnit = 0u;  // 0 scalar, 1 group, 2 word
layout(std430, binding = 0) readonly buffer X { SCALAR x[]; };
layout(std430, binding = 0) readonly buffer XGroups { GROUP x_groups[]; };
layout(std430, binding = 0) readonly buffer XWords { uint x_words[]; };
layout(std430, binding = 1) writeonly buffer Y { SCALAR y[]; };
layout(std430, binding = 1) writeonly buffer YGroups { GROUP y_groups[]; };
layout(std430, binding = 1) writeonly buffer YWords { uint y_words[]; };
layout(push_constant) uniform Push {
  uint total, rank, valid;
  int from, to;
  uint size[kMaxLevels];
  int source[kMaxLevels];
  int target[kMaxLevels];
};

void main() {
  uint index = thread_index();
  if (index >= total) return;
  int s = from, t = to;
  uint last = 0u;
  for (uint i = rank; i-- > 0u;) {
    uint outer = i == 0u ? 0u : index / size[i];
    uint step = index - outer * size[i];
    if (i + 1u == rank) last = step;
    s += int(step) * source[i];
    t += int(step) * target[i];
    index = outer;
  }
  if (kUnit == 1u) {
    Group v = LOAD_GROUP(x_groups, s);
    v = mask_group(v, last, valid);
    STORE_GROUP(y_groups, t, v);
  } else if (kUnit == 2u) {
    y_words[t] = last < valid ? x_words[s] : 0u;
  } else {  // no ternary on halves: that would ask for 16-bit arithmetic
    if (last < valid) y[t] = x[s];
    else y[t] = SCALAR(0.0);
  }
}
