#version 450
// Convolution of a single group of input channels, of which kInputs exist: the first layer of a network on pictures.
// A thread computes kPixels neighbouring outputs of one row x 8 channels and reads each input of a row once. The width
// and the horizontal stride of the window are constants, its horizontal dilation is 1. Weights lie as
// [group of 8 outputs][ky][kx][input][output].
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/activation.glsl"
#include "common/conv_epilogue.glsl"

layout(local_size_x = 32) in;
layout(constant_id = 5) const uint kPixels = 4;
layout(constant_id = 6) const uint kInputs = 3;
layout(constant_id = 7) const uint kKernelW = 3;
layout(constant_id = 8) const uint kStrideW = 2;

layout(std430, binding = 0) readonly buffer Input { GROUP x[]; };
layout(std430, binding = 1) readonly buffer Weights { GROUP w[]; };

layout(push_constant) uniform Push {
  EpiloguePush epilogue;
  uint in_h, in_w, out_h, out_w;
  uint tiles_w, tiles;  // tiles of kPixels in a row; in all
  uint kernel_h, stride_h, pad_top, pad_left, dilation_h;
};

const uint kRow = (kPixels - 1u) * kStrideW + kKernelW;

void main() {
  uint tile = gl_GlobalInvocationID.x, og = gl_GlobalInvocationID.y;
  if (tile >= tiles || og >= epilogue_groups(epilogue)) return;
  uint ox = tile % tiles_w * kPixels;
  uint out_row = tile / tiles_w;
  uint oy = out_row % out_h;
  uint n = out_row / out_h;

  Group sum[kPixels];
  [[unroll]] for (uint p = 0; p < kPixels; ++p) sum[p] = epilogue_bias(og);
  int left = int(ox * kStrideW) - int(pad_left);
  uint at = og * kernel_h * kKernelW * kInputs;
  for (uint ky = 0; ky < kernel_h; ++ky) {
    int iy = int(oy * stride_h + ky * dilation_h) - int(pad_top);
    bool row_ok = uint(iy) < in_h;
    uint first = row_ok ? (n * in_h + uint(iy)) * in_w : 0u;
    vec4 row[kRow];
    [[unroll]] for (uint i = 0; i < kRow; ++i) {
      uint ix = uint(left + int(i));
      bool ok = row_ok && ix < in_w;
      row[i] = mix(vec4(0), LOAD_LOW(x, ok ? first + ix : 0u), bvec4(ok));
    }
    [[unroll]] for (uint kx = 0; kx < kKernelW; ++kx) {
      [[unroll]] for (uint c = 0; c < kInputs; ++c) {
        Group f = LOAD_GROUP(w, at);
        ++at;
        [[unroll]] for (uint p = 0; p < kPixels; ++p) {
          sum[p].lo += f.lo * row[p * kStrideW + kx][c];
          sum[p].hi += f.hi * row[p * kStrideW + kx][c];
        }
      }
    }
  }

  SecondAffine second = epilogue_affine(epilogue, og);
  [[unroll]] for (uint p = 0; p < kPixels; ++p)
    if (ox + p < out_w) epilogue_store(epilogue, sum[p], out_row * out_w + ox + p, og, second);
}
