#pragma once

#include <algorithm>
#include <cstdint>

#include "host/cpu/simd.hpp"
#include "host/cpu/vector_math.hpp"

namespace vultus::cpu {

/// A depthwise convolution of one block of 16 channels. Strides in floats.
struct DepthwiseBlock {
  int64_t in_height, in_width, out_width, pad_top, pad_left;
  const float* in;       ///< row `first_row` of the image
  int64_t first_row;     ///< rows before it are not there (and not read)
  int64_t in_pixel;      ///< from pixel to pixel
  const float* weights;  ///< [kernel * kernel][16]
  const float* bias;     ///< [16]
  float* out;            ///< the image's first pixel
  int64_t out_pixel;
  Activation activation;
  float slope;
};

/// `Tile` neighbouring results of row `y` from column `x` on. Every input point of the window is
/// loaded once and added to all results that see it.
template <int Kernel, int Stride, int Tile>
VULTUS_INLINE void depthwise_tile(const DepthwiseBlock& d, int64_t y, int64_t x) {
  constexpr int kColumns = (Tile - 1) * Stride + Kernel;
  Vec sums[Tile];
#pragma GCC unroll 16
  for (int t = 0; t < Tile; ++t)
    sums[t] = load(d.bias);
  const int64_t top = y * Stride - d.pad_top, left = x * Stride - d.pad_left;
  const bool inside = left >= 0 && left + kColumns <= d.in_width;
  const int64_t end = std::min<int64_t>(Kernel, d.in_height - top);
  for (int64_t ky = std::max<int64_t>(-top, 0); ky < end; ++ky) {
    const float* in = d.in + ((top + ky - d.first_row) * d.in_width + left) * d.in_pixel;
    Vec weights[Kernel];
#pragma GCC unroll 8
    for (int kx = 0; kx < Kernel; ++kx)
      weights[kx] = load(d.weights + (ky * Kernel + kx) * kLanes);
#pragma GCC unroll 32
    for (int c = 0; c < kColumns; ++c) {
      if (!inside && (left + c < 0 || left + c >= d.in_width)) continue;
      const Vec v = load(in + c * d.in_pixel);
#pragma GCC unroll 16
      for (int t = 0; t < Tile; ++t)
        if (c - t * Stride >= 0 && c - t * Stride < Kernel) sums[t] += v * weights[c - t * Stride];
    }
  }
  activate(sums, d.activation, d.slope);
  float* out = d.out + (y * d.out_width + x) * d.out_pixel;
#pragma GCC unroll 16
  for (int t = 0; t < Tile; ++t)
    store(out + t * d.out_pixel, sums[t]);
}

/// Row `y` of the results.
template <int Kernel, int Stride>
VULTUS_INLINE void depthwise_row(const DepthwiseBlock& d, int64_t y) {
  int64_t x = 0;
  if (d.out_width % 7 == 0)
    for (; x < d.out_width; x += 7)
      depthwise_tile<Kernel, Stride, 7>(d, y, x);
  for (; x + 8 <= d.out_width; x += 8)
    depthwise_tile<Kernel, Stride, 8>(d, y, x);
  for (; x + 4 <= d.out_width; x += 4)
    depthwise_tile<Kernel, Stride, 4>(d, y, x);
  for (; x < d.out_width; ++x)
    depthwise_tile<Kernel, Stride, 1>(d, y, x);
}

}  // namespace vultus::cpu
