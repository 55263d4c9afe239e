#pragma once

#include <algorithm>
#include <cstdint>

#include "host/cpu/simd.hpp"
#include "host/cpu/vector_math.hpp"

namespace vultus::cpu {

/// A 1x1 convolution to one panel of 16 or 32 output channels. Strides in floats.
struct PointwisePanel {
  const float* in;
  int64_t depth;         ///< input channels
  int64_t in_pixel;      ///< from pixel to pixel
  int64_t in_block;      ///< from 16 channels to the next 16
  const float* weights;  ///< [depth][the panel's channels]
  const float* bias;     ///< [the panel's channels]
  float* out;            ///< the panel's channels side by side
  int64_t out_pixel;
  Activation activation;
  float slope;
  /// How many floats behind a weight lies the one to ask memory for meanwhile; 0: none.
  int64_t ahead = 0;
};

/// `Pixels` neighbouring pixels from `first` on, `Vectors` times 16 channels.
template <int Pixels, int Vectors>
VULTUS_INLINE void pointwise_tile(const PointwisePanel& p, int64_t first, int64_t ahead) {
  Vec sums[Vectors][Pixels];
#pragma GCC unroll 2
  for (int v = 0; v < Vectors; ++v)
#pragma GCC unroll 16
    for (int i = 0; i < Pixels; ++i)
      sums[v][i] = load(p.bias + v * kLanes);
  const float *in = p.in + first * p.in_pixel, *w = p.weights;
  for (int64_t block = 0; block < p.depth; block += kLanes, in += p.in_block) {
    const int64_t count = std::min(kLanes, p.depth - block);
#pragma GCC unroll 1
    for (int64_t k = 0; k < count; ++k, w += Vectors * kLanes) {
      Vec weights[Vectors];
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v)
        weights[v] = load(w + v * kLanes);
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v)
        __builtin_prefetch(w + ahead + v * kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < Pixels; ++i) {
        const Vec x = Vec{} + in[i * p.in_pixel + k];
#pragma GCC unroll 2
        for (int v = 0; v < Vectors; ++v)
          sums[v][i] += x * weights[v];
      }
    }
  }
#pragma GCC unroll 2
  for (int v = 0; v < Vectors; ++v) {
    activate(sums[v], p.activation, p.slope);
#pragma GCC unroll 16
    for (int i = 0; i < Pixels; ++i)
      store(p.out + (first + i) * p.out_pixel + v * kLanes, sums[v][i]);
  }
}

/// All of `pixels`; the first of them ask for weights ahead. Twelve by two vectors keep 24 sums in
/// the 32 registers.
template <int Vectors>
VULTUS_INLINE void pointwise_panel(const PointwisePanel& p, int64_t pixels) {
  int64_t i = 0;
  for (; i + 12 <= pixels; i += 12)
    pointwise_tile<12, Vectors>(p, i, i == 0 ? p.ahead : 0);
  for (; i + 8 <= pixels; i += 8)
    pointwise_tile<8, Vectors>(p, i, i == 0 ? p.ahead : 0);
  for (; i + 4 <= pixels; i += 4)
    pointwise_tile<4, Vectors>(p, i, i == 0 ? p.ahead : 0);
  for (; i < pixels; ++i)
    pointwise_tile<1, Vectors>(p, i, i == 0 ? p.ahead : 0);
}

}  // namespace vultus::cpu
