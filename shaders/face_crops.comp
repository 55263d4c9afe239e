#version 450
#extension GL_GOOGLE_include_directive : require
#include "common/finite.glsl"
// What the networks see of a face: host/ops/face_crops.cpp is the reference. One thread writes the rows of one face.
layout(local_size_x = 1) in;
layout(std430, binding = 0) readonly buffer Size { int size[]; };         // height, width
layout(std430, binding = 1) readonly buffer Face { float face[]; };       // x1, y1, x2, y2, ...
layout(std430, binding = 2) writeonly buffer Squares { float squares[]; };  // [faces, 5]
layout(std430, binding = 3) writeonly buffer Areas { float areas[]; };      // [3 * faces, 5]
layout(push_constant) uniform Push {
  uint number, kind;  // of the face; 0: shorter side, 1: longer, 2: height
  float per_side;
};

// A coordinate that is no number is 0.
float cut(float v, float limit) {
  return finite(v) ? floor(clamp(v, 0.0, limit)) : 0.0;
}

void main() {
  vec2 first = vec2(face[0], face[1]), last = vec2(face[2], face[3]), sides = last - first;
  float side = kind == 0u ? min(sides.x, sides.y) : kind == 1u ? max(sides.x, sides.y) : sides.y;
  squares[5u * number] = 0.5 * (first.x + last.x);
  squares[5u * number + 1u] = 0.5 * (first.y + last.y);
  squares[5u * number + 2u] = per_side * side;
  squares[5u * number + 3u] = per_side * side;
  squares[5u * number + 4u] = float(number);
  vec2 limit = vec2(size[1], size[0]);
  vec2 from = vec2(cut(first.x, limit.x), cut(first.y, limit.y));
  vec2 covered = max(vec2(cut(last.x, limit.x), cut(last.y, limit.y)) - from, vec2(0));
  if (covered.x == 0.0 || covered.y == 0.0) {
    from = vec2(0);
    covered = vec2(1);
  }
  for (uint k = 0u; k < 3u; ++k) {
    uint at = 5u * (3u * number + k);
    areas[at] = from.x + 0.5 * covered.x;
    areas[at + 1u] = from.y + 0.5 * covered.y;
    areas[at + 2u] = covered.x;
    areas[at + 3u] = covered.y;
    areas[at + 4u] = float(number);
  }
}
