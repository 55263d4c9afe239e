#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// Pad: the result is dense; every level of it maps to a position of the input, or to the constant outside.
layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const uint kUnit = 0u;  // 0 scalar, 1 group of 8, 2 word
layout(constant_id = 1) const uint kMode = 0u;  // 0 constant, 1 edge, 2 reflect
layout(std430, binding = 0) readonly buffer X { SCALAR x[]; };
layout(std430, binding = 0) readonly buffer XGroups { GROUP x_groups[]; };
layout(std430, binding = 0) readonly buffer XWords { int x_words[]; };
layout(std430, binding = 1) writeonly buffer Y { SCALAR y[]; };
layout(std430, binding = 1) writeonly buffer YGroups { GROUP y_groups[]; };
layout(std430, binding = 1) writeonly buffer YWords { int y_words[]; };
layout(push_constant) uniform Push {
  uint total, rank, valid;  // elements of the last level at and beyond `valid` are padding lanes: zero
  uint value;               // bits of a float, or an int
  uint size[kMaxLevels];    // of the result
  int source[kMaxLevels];   // of the input
  int stride[kMaxLevels];
  int begin[kMaxLevels];
};

void main() {
  uint index = thread_index();
  if (index >= total) return;
  uint rest = index, last = 0u;
  int at = 0;
  bool inside = true;
  for (uint i = rank; i-- > 0u;) {
    uint outer = i == 0u ? 0u : rest / size[i];
    uint step = rest - outer * size[i];
    if (i + 1u == rank) last = step;
    int from = int(step) - begin[i];
    if (kMode == 0u) {
      inside = inside && from >= 0 && from < source[i];
    } else if (kMode == 1u) {
      from = clamp(from, 0, source[i] - 1);
    } else {
      from = abs(from);
      from = from < source[i] ? from : 2 * (source[i] - 1) - from;
    }
    at += from * stride[i];
    rest = outer;
  }
  if (kUnit == 1u) {
    Group v = Group(vec4(uintBitsToFloat(value)), vec4(uintBitsToFloat(value)));
    if (inside) v = LOAD_GROUP(x_groups, at);
    STORE_GROUP(y_groups, index, mask_group(v, last, valid));
  } else if (kUnit == 2u) {
    int v = int(value);
    if (inside) v = x_words[at];
    y_words[index] = v;
  } else {
    float v = uintBitsToFloat(value);
    if (last >= valid) {
      v = 0.0;
    } else if (inside) {
      v = float(x[at]);
    }
    y[index] = SCALAR(v);
  }
}
