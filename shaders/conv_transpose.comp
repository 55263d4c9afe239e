#version 450
// Transposed convolution as a gather: every output looks up the inputs that reach it. A thread computes kPixels
// outputs of one row, stride_w apart, x 8 channels. Weights lie as in conv.comp.
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/activation.glsl"

layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const uint kActivation = 0;
const uint kPixels = 4;

layout(std430, binding = 0) readonly buffer Input { GROUP x[]; };
layout(std430, binding = 1) readonly buffer Weights { GROUP w[]; };
layout(std430, binding = 2) readonly buffer Bias { vec4 bias[]; };
layout(std430, binding = 3) writeonly buffer Output { GROUP y[]; };

layout(push_constant) uniform Push {
  uint in_h, in_w, in_groups;
  uint out_h, out_w, out_channels;
  uint tiles_w, threads;  // tiles in a row: stride_w interleaved sets; tiles x groups in all
  uint kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left, dilation_h, dilation_w;
  uint span;                           // input groups that one group of outputs reads
  uint outs_per_group, ins_per_group;  // channels of a convolution group
  float alpha, beta;
};

void main() {
  uint id = thread_index();
  if (id >= threads) return;
  uint out_groups = (out_channels + 7u) / 8u;
  uint og = id % out_groups;
  uint tile = id / out_groups;
  uint in_row = tile % tiles_w;
  uint out_row = tile / tiles_w;
  uint oy = out_row % out_h;
  uint n = out_row / out_h;
  uint ox = in_row % stride_w + in_row / stride_w * kPixels * stride_w;
  uint first = min(8u * og / outs_per_group * ins_per_group / 8u, in_groups - span);

  Group sum[kPixels];
  [[unroll]] for (uint p = 0; p < kPixels; ++p) sum[p] = Group(bias[2u * og], bias[2u * og + 1u]);

  for (uint ky = 0; ky < kernel_h; ++ky) {
    int y_at = int(oy + pad_top) - int(ky * dilation_h);
    uint iy = uint(max(y_at, 0)) / stride_h;
    bool row_ok = y_at >= 0 && iy * stride_h == uint(y_at) && iy < in_h;
    for (uint kx = 0; kx < kernel_w; ++kx) {
      int x_at = int(ox + pad_left) - int(kx * dilation_w);
      // Floors also when negative: later pixels of the tile may be inside.
      int back = int((uint(max(-x_at, 0)) + stride_w - 1u) / stride_w);
      int left = x_at >= 0 ? int(uint(x_at) / stride_w) : -back;
      bool tap_ok = row_ok && left * int(stride_w) == x_at;
      if (!tap_ok) continue;
      uint at = ((og * kernel_h + ky) * kernel_w + kx) * span * 8u;
      for (uint i = 0; i < span; ++i) {
        Group a[kPixels];
        [[unroll]] for (uint p = 0; p < kPixels; ++p) {
          uint ix = uint(left + int(p));
          bool ok = ix < in_w;
          a[p] = LOAD_GROUP_IF(ok, x, ((n * in_h + iy) * in_w + (ok ? ix : 0u)) * in_groups + first + i);
        }
        Group r[8];
        [[unroll]] for (uint k = 0; k < 8u; ++k) r[k] = LOAD_GROUP(w, at + i * 8u + k);
        mat4 lo_lo = mat4(r[0].lo, r[1].lo, r[2].lo, r[3].lo), lo_hi = mat4(r[4].lo, r[5].lo, r[6].lo, r[7].lo);
        mat4 hi_lo = mat4(r[0].hi, r[1].hi, r[2].hi, r[3].hi), hi_hi = mat4(r[4].hi, r[5].hi, r[6].hi, r[7].hi);
        [[unroll]] for (uint p = 0; p < kPixels; ++p) {
          sum[p].lo += lo_lo * a[p].lo + lo_hi * a[p].hi;
          sum[p].hi += hi_lo * a[p].lo + hi_hi * a[p].hi;
        }
      }
    }
  }

  [[unroll]] for (uint p = 0; p < kPixels; ++p) {
    uint column = ox + p * stride_w;
    if (column < out_w) {
      Group v = Group(activate(sum[p].lo, kActivation, alpha, beta), activate(sum[p].hi, kActivation, alpha, beta));
      STORE_GROUP(y, (out_row * out_w + column) * out_groups + og, mask_group(v, og, out_channels));
    }
  }
}
