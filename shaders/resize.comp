#version 450
// Resize of H and W. The host has worked out which rows and columns every output reads; a thread computes 8 channels
// of one output pixel.
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"

layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const bool kLinear = false;  // else nearest

layout(std430, binding = 0) readonly buffer Input { GROUP x[]; };
layout(std430, binding = 1) readonly buffer Lines { ivec2 lines[]; };  // per output row, then column: the two read
layout(std430, binding = 2) readonly buffer Parts { float parts[]; };  // weight of the second
layout(std430, binding = 3) writeonly buffer Output { GROUP y[]; };

layout(push_constant) uniform Push {
  uint in_h, in_w, out_h, out_w, groups;
  uint threads;
};

Group load(uint image, int row, int column, uint g) {
  return LOAD_GROUP(x, ((image * in_h + uint(row)) * in_w + uint(column)) * groups + g);
}

Group blend(Group a, Group b, float part) {
  return Group(a.lo + (b.lo - a.lo) * part, a.hi + (b.hi - a.hi) * part);
}

void main() {
  uint id = thread_index();
  if (id >= threads) return;
  uint g = id % groups;
  uint pixel = id / groups;
  uint ox = pixel % out_w;
  uint out_row = pixel / out_w;
  uint oy = out_row % out_h;
  uint n = out_row / out_h;
  ivec2 rows = lines[oy];
  ivec2 columns = lines[out_h + ox];
  Group v;
  if (kLinear) {
    float part = parts[out_h + ox];
    Group upper = blend(load(n, rows.x, columns.x, g), load(n, rows.x, columns.y, g), part);
    Group lower = blend(load(n, rows.y, columns.x, g), load(n, rows.y, columns.y, g), part);
    v = blend(upper, lower, parts[oy]);
  } else {
    v = load(n, rows.x, columns.x, g);
  }
  STORE_GROUP(y, id, v);
}
