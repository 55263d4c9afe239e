#version 450
// Convolution, and every matrix product with constant weights (a row of the left matrix is a pixel).
// A thread computes kPixels neighbouring outputs of one row x 8 channels. Weights lie as
// [group of 8 outputs][ky][kx][group of 8 inputs][input][output]: one walk through memory.
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/activation.glsl"
#include "common/conv_input.glsl"
#include "common/conv_epilogue.glsl"

layout(local_size_x = 32) in;
layout(constant_id = 5) const uint kPixels = 8;
layout(constant_id = 6) const bool kPointwise = false;  // 1x1 without padding
layout(constant_id = 7) const bool kScaled = false;  // the input is multiplied per image and channel

layout(std430, binding = 0) readonly buffer Input { GROUP x[]; };
layout(std430, binding = 1) readonly buffer Weights { GROUP w[]; };

layout(push_constant) uniform Push {
  EpiloguePush epilogue;
  uint in_h, in_w, in_groups;
  uint out_h, out_w;
  uint tiles_w, tiles;  // tiles of kPixels in a row; in all
  uint kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left, dilation_h, dilation_w;
  uint span;                           // input groups that one group of outputs reads
  uint outs_per_group, ins_per_group;  // channels of a convolution group
  uint channels_along_x;               // 1: x counts groups of outputs and y tiles
};

void main() {
  uint tile = channels_along_x != 0u ? gl_GlobalInvocationID.y : gl_GlobalInvocationID.x;
  uint og = channels_along_x != 0u ? gl_GlobalInvocationID.x : gl_GlobalInvocationID.y;
  if (tile >= tiles || og >= epilogue_groups(epilogue)) return;
  uint ox = tile % tiles_w * kPixels;
  uint out_row = tile / tiles_w;
  uint oy = out_row % out_h;
  uint n = out_row / out_h;
  uint first = min(8u * og / outs_per_group * ins_per_group / 8u, in_groups - span);

  Group sum[kPixels];
  [[unroll]] for (uint p = 0; p < kPixels; ++p) sum[p] = epilogue_bias(og);

  // One loop over taps and channels: nested ones cost a fifth more on lavapipe, where each level masks every sum.
  uint steps = kernel_h * kernel_w * span;
  uint at = og * steps * 8u;
  uint i = 0, kx = 0, ky = 0;
  for (uint step_ = 0; step_ < steps; ++step_) {
    int iy = int(oy * stride_h + ky * dilation_h) - int(pad_top);
    bool row_ok = uint(iy) < in_h;
    uint row = row_ok ? (n * in_h + uint(iy)) * in_w : 0u;
    int column = int(ox * stride_w + kx * dilation_w) - int(pad_left);
    Group a[kPixels];
    [[unroll]] for (uint p = 0; p < kPixels; ++p) {
      uint ix = uint(column + int(p * stride_w));
      if (kPointwise) {
        a[p] = LOAD_GROUP(x, (row + min(ix, in_w - 1u)) * in_groups + first + i);
      } else {
        bool ok = row_ok && ix < in_w;
        a[p] = LOAD_GROUP_IF(ok, x, (ok ? (row + ix) * in_groups : 0u) + first + i);
      }
    }
    if (kScaled) {
      Group by = LOAD_SCALE(n, in_groups, first + i);
      [[unroll]] for (uint p = 0; p < kPixels; ++p) a[p] = scaled(a[p], by);
    }
    Group r[8];
    [[unroll]] for (uint k = 0; k < 8u; ++k) r[k] = LOAD_GROUP(w, at + k);
    mat4 lo_lo = mat4(r[0].lo, r[1].lo, r[2].lo, r[3].lo), lo_hi = mat4(r[4].lo, r[5].lo, r[6].lo, r[7].lo);
    mat4 hi_lo = mat4(r[0].hi, r[1].hi, r[2].hi, r[3].hi), hi_hi = mat4(r[4].hi, r[5].hi, r[6].hi, r[7].hi);
    [[unroll]] for (uint p = 0; p < kPixels; ++p) {
      sum[p].lo += lo_lo * a[p].lo + lo_hi * a[p].hi;
      sum[p].hi += hi_lo * a[p].lo + hi_hi * a[p].hi;
    }
    at += 8u;
    ++i;
    if (!kPointwise) {
      bool next_x = i == span;
      i = next_x ? 0u : i;
      kx += uint(next_x);
      bool next_y = kx == kernel_w;
      kx = next_y ? 0u : kx;
      ky += uint(next_y);
    }
  }

  SecondAffine second = epilogue_affine(epilogue, og);
  [[unroll]] for (uint p = 0; p < kPixels; ++p)
    if (ox + p < out_w) epilogue_store(epilogue, sum[p], out_row * out_w + ox + p, og, second);
}
