#version 450
// Resize of H and W by weighted sums (cubic, antialias, crops). The host has worked out the rows, columns and weights of
// every output; a thread computes 8 channels of one output pixel.
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"

layout(local_size_x = 64) in;
#include "common/index.glsl"

layout(std430, binding = 0) readonly buffer Input { GROUP x[]; };
// Per output row `taps_h`, then per output column `taps_w`. A line of -1: the output is `fill`.
layout(std430, binding = 1) readonly buffer Lines { int lines[]; };
layout(std430, binding = 2) readonly buffer Weights { float weights[]; };
layout(std430, binding = 3) writeonly buffer Output { GROUP y[]; };

layout(push_constant) uniform Push {
  uint in_h, in_w, out_h, out_w, channels;
  uint taps_h, taps_w;
  uint threads;
  float fill;
};

void main() {
  uint id = thread_index();
  if (id >= threads) return;
  uint groups = (channels + 7u) / 8u;
  uint g = id % groups;
  uint pixel = id / groups;
  uint out_row = pixel / out_w;
  uint n = out_row / out_h;
  uint row = (out_row % out_h) * taps_h;
  uint column = out_h * taps_h + (pixel % out_w) * taps_w;
  Group v = kZeroGroup;
  if (lines[row] < 0 || lines[column] < 0) {
    v = Group(vec4(fill), vec4(fill));
  } else {
    for (uint r = row; r < row + taps_h; ++r) {
      uint line = (n * in_h + uint(lines[r])) * in_w;
      Group sum = kZeroGroup;
      for (uint c = column; c < column + taps_w; ++c) {
        Group a = LOAD_GROUP(x, (line + uint(lines[c])) * groups + g);
        sum = Group(sum.lo + weights[c] * a.lo, sum.hi + weights[c] * a.hi);
      }
      v = Group(v.lo + weights[r] * sum.lo, v.hi + weights[r] * sum.hi);
    }
  }
  STORE_GROUP(y, id, mask_group(v, g, channels));
}
