#version 450
// Convolution of every channel by itself. A thread computes kPixels neighbouring outputs of one row x 8 channels; windows of
// known width keep the row they read in registers.
// Weights lie as [ky][kx][group of 8 channels].
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/activation.glsl"
#include "common/conv_epilogue.glsl"

layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 5) const uint kPixels = 4;
layout(constant_id = 6) const uint kKernelW = 0;  // of the window, when its horizontal dilation is 1; 0: any window
layout(constant_id = 7) const uint kStrideW = 1;  // with it

layout(std430, binding = 0) readonly buffer Input { GROUP x[]; };
layout(std430, binding = 1) readonly buffer Weights { GROUP w[]; };

layout(push_constant) uniform Push {
  EpiloguePush epilogue;
  uint in_h, in_w, out_h, out_w;
  uint tiles_w, threads;  // tiles of kPixels in a row; tiles x groups in all
  uint kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left, dilation_h, dilation_w;
};

// Inputs of one row of the window for all pixels, each read once.
const uint kRow = (kPixels - 1u) * kStrideW + kKernelW;

void main() {
  uint id = thread_index();
  if (id >= threads) return;
  uint groups = epilogue_groups(epilogue);
  uint g = id % groups;
  uint tile = id / groups;
  uint ox = tile % tiles_w * kPixels;
  uint out_row = tile / tiles_w;
  uint oy = out_row % out_h;
  uint n = out_row / out_h;

  Group sum[kPixels];
  [[unroll]] for (uint p = 0; p < kPixels; ++p) sum[p] = epilogue_bias(g);

  int left = int(ox * stride_w) - int(pad_left);
  for (uint ky = 0; ky < kernel_h; ++ky) {
    int iy = int(oy * stride_h + ky * dilation_h) - int(pad_top);
    bool row_ok = uint(iy) < in_h;
    uint row = row_ok ? (n * in_h + uint(iy)) * in_w : 0u;
    if (kKernelW > 0u) {
      Group a[kRow];
      [[unroll]] for (uint i = 0; i < kRow; ++i) {
        uint ix = uint(left + int(i));
        bool ok = row_ok && ix < in_w;
        a[i] = LOAD_GROUP_IF(ok, x, (ok ? (row + ix) * groups : 0u) + g);
      }
      [[unroll]] for (uint kx = 0; kx < kKernelW; ++kx) {
        Group f = LOAD_GROUP(w, (ky * kKernelW + kx) * groups + g);
        [[unroll]] for (uint p = 0; p < kPixels; ++p) {
          sum[p].lo += a[p * kStrideW + kx].lo * f.lo;
          sum[p].hi += a[p * kStrideW + kx].hi * f.hi;
        }
      }
      continue;
    }
    for (uint kx = 0; kx < kernel_w; ++kx) {
      Group f = LOAD_GROUP(w, (ky * kernel_w + kx) * groups + g);
      [[unroll]] for (uint p = 0; p < kPixels; ++p) {
        uint ix = uint(left + int(p * stride_w + kx * dilation_w));
        bool ok = row_ok && ix < in_w;
        Group a = LOAD_GROUP_IF(ok, x, (ok ? (row + ix) * groups : 0u) + g);
        sum[p].lo += a.lo * f.lo;
        sum[p].hi += a.hi * f.hi;
      }
    }
  }

  SecondAffine second = epilogue_affine(epilogue, g);
  [[unroll]] for (uint p = 0; p < kPixels; ++p)
    if (ox + p < out_w) epilogue_store(epilogue, sum[p], out_row * out_w + ox + p, g, second);
}
