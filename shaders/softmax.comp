#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
// Softmax and LogSoftmax along one axis; the result lies as the input does. A row is one thread's or, with kTeam, a
// workgroup's.
layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const uint kLog = 0u;
layout(constant_id = 1) const uint kTeam = 0u;
layout(constant_id = 2) const bool kToRaw = false;  // to the host's form
layout(std430, binding = 0) readonly buffer X { SCALAR x[]; };
layout(std430, binding = 1) writeonly buffer Y { SCALAR y[]; };
layout(std430, binding = 1) writeonly buffer YRaw { float y_raw[]; };
layout(push_constant) uniform Push {
  uint total;   // rows
  uint length;  // elements of a row
  uint padded;  // steps of a row to write: zero at and beyond `length`
  uint valid;   // rows whose last level is at or beyond this are padding lanes: zero
  int step;
  uint rank;
  uint size[kMaxLevels];
  int stride[kMaxLevels];
};

shared vec2 team[64];

// (maximum, sum of exp(x - maximum)) of two parts.
vec2 merge(vec2 a, vec2 b) {
  float top = max(a.x, b.x);
  return vec2(top, a.y * exp(a.x - top) + b.y * exp(b.x - top));
}

void main() {
  uint row = kTeam == 1u ? team_index() : thread_index();
  if (row >= total) return;
  uint first = kTeam == 1u ? gl_LocalInvocationID.x : 0u;
  uint pace = kTeam == 1u ? 64u : 1u;
  int base = 0;
  uint index = row, last = 0u;
  for (uint i = rank; i-- > 0u;) {
    uint outer = i == 0u ? 0u : index / size[i];
    uint at = index - outer * size[i];
    if (i + 1u == rank) last = at;
    base += int(at) * stride[i];
    index = outer;
  }
  // The least float instead of minus infinity keeps x - maximum defined.
  vec2 part = vec2(-3.402823e38, 0.0);
  for (uint k = first; k < length; k += pace)
    part = merge(part, vec2(max(float(x[base + int(k) * step]), -3.402823e38), 1.0));
  if (kTeam == 1u) {
    team[first] = part;
    for (uint half_ = 32u; half_ > 0u; half_ /= 2u) {
      barrier();
      if (first < half_) team[first] = merge(team[first], team[first + half_]);
    }
    barrier();
    part = team[0];
  }
  float scale = 1.0 / part.y, shift = part.x + log(part.y);
  for (uint k = first; k < padded; k += pace) {
    int at = base + int(k) * step;
    float v = 0.0;
    if (k < length && last < valid) {
      v = float(x[at]);
      v = kLog == 1u ? v - shift : exp(v - part.x) * scale;
    }
    if (kToRaw) y_raw[at] = v; else y[at] = SCALAR(v);
  }
}
