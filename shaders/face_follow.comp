#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/finite.glsl"
// The face of the frame before among a detector's rows, and the region to look for it next: host/ops/face_follow.cpp is the
// reference. One thread: there are few rows.
layout(local_size_x = 1) in;
layout(std430, binding = 0) readonly buffer Rows { float rows[]; };      // [count, 16]
layout(std430, binding = 1) readonly buffer Region { float region[]; };  // middle x, y, sides, picture
layout(std430, binding = 2) readonly buffer Before { float before[]; };  // x1, y1, x2, y2, score, found, five points
layout(std430, binding = 3) readonly buffer Size { int size[]; };        // height, width
layout(std430, binding = 4) writeonly buffer Face { float face[]; };
layout(std430, binding = 5) writeonly buffer Next { float next[]; };
layout(push_constant) uniform Push {
  uint count;
  float pixels, overlap, per_side, smallest, point_spread;
};

float area_of(vec4 box) {
  return (box.z - box.x) * (box.w - box.y);
}

float intersection_over_union(vec4 a, vec4 b) {
  vec2 side = max(min(a.zw, b.zw) - max(a.xy, b.xy), vec2(0));
  float both = side.x * side.y;
  float all_ = area_of(a) + area_of(b) - both;
  return all_ > 0.0 ? both / all_ : 0.0;
}

vec2 point_of(uint row, uint k, float scale, vec2 corner) {
  uint at = 16u * row + 5u + 2u * k;
  return (vec2(rows[at], rows[at + 1u]) + 0.5) * scale - 0.5 + corner;
}

// `shared_` of the boxes; with the object keypoint similarity of the points where they are numbers.
float likeness(float shared_, uint row, float scale, vec2 corner, float area) {
  if (!(area > 0.0)) return shared_;
  float alike = 0.0;
  for (uint k = 0u; k < 10u; ++k)
    if (!finite(rows[16u * row + 5u + k]) || !finite(before[6u + k])) return shared_;
  for (uint k = 0u; k < 5u; ++k) {
    vec2 by = point_of(row, k, scale, corner) - vec2(before[6u + 2u * k], before[7u + 2u * k]);
    alike += exp(-dot(by, by) / (2.0 * point_spread * point_spread * area));
  }
  return 0.5 * (shared_ + alike / 5.0);
}

float rounded(float v) {  // half away from zero
  return sign(v) * floor(abs(v) + 0.5);
}

void main() {
  vec4 was = vec4(before[0], before[1], before[2], before[3]), best = was;
  float height = float(size[0]), width = float(size[1]);
  float side = region[2], left = region[0] - 0.5 * side, top = region[1] - 0.5 * side;
  float most = -1.0, scale = side / pixels;
  vec2 corner = vec2(left, top);
  bool found = false;
  uint taken = 0u;
  bool looks = before[5] > 0.0 && left < width && top < height && left + side > 0.0 && top + side > 0.0;
  for (uint r = 0u; looks && r < count && rows[16u * r + 15u] >= 0.0; ++r) {
    vec4 box = vec4(rows[16u * r], rows[16u * r + 1u], rows[16u * r + 2u], rows[16u * r + 3u]);
    box = (box + 0.5) * scale - 0.5 + corner.xyxy;
    float shared_ = intersection_over_union(box, was);
    if (!(shared_ > overlap)) continue;
    float alike = likeness(shared_, r, scale, corner, area_of(was));
    if (alike > most) {
      most = alike;
      best = box;
      taken = r;
      found = true;
    }
  }
  vec2 middle = 0.5 * (best.xy + best.zw), sides = best.zw - best.xy;
  found = found && sides.x >= 1.0 && sides.y >= 1.0 && middle.x >= 0.0 && middle.y >= 0.0 && middle.x < width &&
          middle.y < height;
  if (!found) {
    best = was;
    middle = 0.5 * (best.xy + best.zw);
    sides = best.zw - best.xy;
  }
  for (uint k = 0u; k < 4u; ++k) face[k] = best[k];
  face[4] = found ? rows[16u * taken + 4u] : before[4];
  face[5] = found ? 1.0 : 0.0;
  for (uint k = 0u; k < 5u; ++k) {
    vec2 point = found ? point_of(taken, k, scale, corner) : vec2(before[6u + 2u * k], before[7u + 2u * k]);
    face[6u + 2u * k] = point.x;
    face[7u + 2u * k] = point.y;
  }
  side = rounded(min(max(per_side * max(sides.x, sides.y), smallest), 2.0 * max(height, width)));
  next[0] = rounded(middle.x - 0.5 * side) + 0.5 * side;
  next[1] = rounded(middle.y - 0.5 * side) + 0.5 * side;
  next[2] = side;
  next[3] = side;
  next[4] = region[4] + 1.0;
}
