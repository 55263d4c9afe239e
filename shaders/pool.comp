#version 450
// Maximum or average over a window; a thread computes 8 channels of one output pixel. Sums are fp32.
#extension GL_GOOGLE_include_directive : require
#include "common/storage.glsl"
#include "common/activation.glsl"

layout(local_size_x = 64) in;
#include "common/index.glsl"
layout(constant_id = 0) const bool kAverage = false;
layout(constant_id = 1) const bool kStoresFirst = true;
layout(constant_id = 2) const bool kStoresSecond = false;  // z = activation(scale * y + shift)
layout(constant_id = 3) const uint kActivation = 0;        // of the second

layout(std430, binding = 0) readonly buffer Input { GROUP x[]; };
layout(std430, binding = 1) writeonly buffer Output { GROUP y[]; };
layout(std430, binding = 2) writeonly buffer SecondOutput { GROUP z[]; };
layout(std430, binding = 3) readonly buffer Numbers { vec4 numbers[]; };  // scale, shift: 8 a group

layout(push_constant) uniform Push {
  uint in_h, in_w, out_h, out_w, groups, channels;
  uint threads;
  uint kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left, dilation_h, dilation_w;
  // What counts in an average reaches from -count_top and -count_left to in_h + count_below and in_w + count_right.
  uint count_top, count_left, count_below, count_right;
  float alpha, beta;
};

void main() {
  uint id = thread_index();
  if (id >= threads) return;
  uint g = id % groups;
  uint pixel = id / groups;
  uint ox = pixel % out_w;
  uint row = pixel / out_w;
  uint oy = row % out_h;
  uint n = row / out_h;

  float start = kAverage ? 0.0 : -1.0 / 0.0;
  Group v = Group(vec4(start), vec4(start));
  uint count = 0;
  for (uint ky = 0; ky < kernel_h; ++ky) {
    int iy = int(oy * stride_h + ky * dilation_h) - int(pad_top);
    for (uint kx = 0; kx < kernel_w; ++kx) {
      int ix = int(ox * stride_w + kx * dilation_w) - int(pad_left);
      bool inside = uint(iy) < in_h && uint(ix) < in_w;
      bool counts = iy >= -int(count_top) && iy < int(in_h + count_below) && ix >= -int(count_left) &&
                    ix < int(in_w + count_right);
      count += uint(counts);
      if (!inside) continue;
      Group a = LOAD_GROUP(x, ((n * in_h + uint(iy)) * in_w + uint(ix)) * groups + g);
      if (kAverage) {
        v = Group(v.lo + a.lo, v.hi + a.hi);
      } else {
        v = Group(max(v.lo, a.lo), max(v.hi, a.hi));
      }
    }
  }
  if (kAverage) {
    float scale = 1.0 / float(max(count, 1u));
    v = Group(v.lo * scale, v.hi * scale);
  }
  if (kStoresFirst) STORE_GROUP(y, id, mask_group(v, g, channels));
  if (kStoresSecond) {
    uint scale = 2u * g, shift = scale + 2u * groups;
    v = Group(v.lo * numbers[scale] + numbers[shift], v.hi * numbers[scale + 1u] + numbers[shift + 1u]);
    v = Group(activate(v.lo, kActivation, alpha, beta), activate(v.hi, kActivation, alpha, beta));
    STORE_GROUP(z, id, mask_group(v, g, channels));
  }
}
