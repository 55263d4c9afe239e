#version 450
#extension GL_GOOGLE_include_directive : require
// Smoothed midlines of one face in frames that follow each other: host/ops/face_mirrors.cpp is the reference. One workgroup, a
// thread for each point.
layout(local_size_x = 128) in;
layout(std430, binding = 0) readonly buffer Values { float values[]; };    // [faces, points, 2]
layout(std430, binding = 1) readonly buffer Squares { float squares[]; };  // [faces, 5]
layout(std430, binding = 2) readonly buffer Areas { float areas[]; };      // [3 * faces, 5]
layout(std430, binding = 3) readonly buffer State { float state[]; };      // [1 + 2 * points, 2]
layout(std430, binding = 4) writeonly buffer Lines { float lines[]; };     // [3 * faces, 5]
layout(push_constant) uniform Push {
  uint faces, points;
  float gain, bias, slowest, expression;
  uvec4 eyes;      // first point and number of points, of either eye
  uvec4 middle;    // inner ends of the brows, chin
};
shared vec4 sums[128];
shared vec2 at[128];

// Of all threads; they all take part.
vec4 sum_of(vec4 v) {
  uint t = gl_LocalInvocationID.x;
  barrier();
  sums[t] = v;
  for (uint step_ = 64u; step_ > 0u; step_ /= 2u) {
    barrier();
    if (t < step_) sums[t] += sums[t + step_];
  }
  barrier();
  return sums[0];
}

vec2 mean_of(uint first, uint count) {
  vec2 sum = vec2(0);
  for (uint i = 0u; i < count; ++i) sum += at[first + i];
  return sum / float(count);
}

// The similarity that takes the points before to the present ones carries what was smoothed along.
vec2 smoothed_point(vec2 measured, vec2 before, vec2 smooth_, bool is_point) {
  uint t = gl_LocalInvocationID.x;
  float one = is_point ? 1.0 : 0.0;
  vec4 means = sum_of(vec4(before, measured) * one) / float(points);
  vec2 u = before - means.xy, v = measured - means.zw;
  vec4 fit = sum_of(vec4(dot(u, u), dot(u, v), u.x * v.y - u.y * v.x, 0.0) * one);
  float c = fit.x > 0.0 ? fit.y / fit.x : 1.0, s = fit.x > 0.0 ? fit.z / fit.x : 0.0;
  vec2 w = smooth_ - means.xy;
  vec2 carried = vec2(c * w.x - s * w.y, s * w.x + c * w.y) + means.zw;
  barrier();
  at[t] = measured;
  barrier();
  float whole = expression * distance(mean_of(eyes.x, eyes.y), mean_of(eyes.z, eyes.w));
  float part = whole > 0.0 ? min(1.0, distance(measured, carried) / whole) : 1.0;
  return mix(carried, measured, slowest + (1.0 - slowest) * part * part);
}

void write_lines(uint f) {
  vec2 top = 0.5 * (at[middle.x] + at[middle.y]), along = at[middle.z] - top;
  float long_ = length(along);
  bool has = long_ >= 1.0 && long_ < 1e9;
  vec2 normal = has ? vec2(-along.y, along.x) / long_ : vec2(0);
  vec2 near = vec2(areas[15u * f], areas[15u * f + 1u]);
  vec2 point = has ? near - dot(near - top, normal) * normal : vec2(0);
  for (uint k = 0u; k < 3u; ++k) {
    uint to = 5u * (3u * f + k);
    bool half_ = has && k > 0u;
    lines[to] = half_ ? point.x : 0.0;
    lines[to + 1u] = half_ ? point.y : 0.0;
    lines[to + 2u] = half_ ? normal.x : 0.0;
    lines[to + 3u] = half_ ? normal.y : 0.0;
    lines[to + 4u] = half_ ? (k == 1u ? -1.0 : 1.0) : 0.0;
  }
}

void main() {
  uint t = gl_LocalInvocationID.x;
  bool is_point = t < points, valid = state[0] > 0.0;
  uint mine = is_point ? t : 0u;
  vec2 before = vec2(state[2u + 2u * mine], state[3u + 2u * mine]);
  vec2 smooth_ = vec2(state[2u + 2u * (points + mine)], state[3u + 2u * (points + mine)]);
  for (uint f = 0u; f < faces; ++f) {
    uint i = 2u * (points * f + mine);
    vec2 measured = vec2(squares[5u * f], squares[5u * f + 1u]) +
                    (vec2(values[i], values[i + 1u]) * gain + bias) * squares[5u * f + 2u];
    smooth_ = valid ? smoothed_point(measured, before, smooth_, is_point) : measured;
    before = measured;
    valid = true;
    barrier();
    at[t] = smooth_;
    barrier();
    if (t == 0u) write_lines(f);
  }
}
