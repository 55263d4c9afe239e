#include "host/cpu/narrow_gemm.hpp"

#include <omp.h>

#include <algorithm>

#include "host/cpu/pointwise_tile.hpp"
#include "host/cpu/simd.hpp"

namespace vultus::cpu {
namespace {

// How far ahead weights are asked for: past what the hardware's own prefetcher covers.
constexpr int64_t kAhead = 4096 / sizeof(float);

struct Narrow {
  const float *a, *w, *bias;
  float* y;
  int64_t columns, depth;
};

// Vectors of one row of weights in flight: enough sums to hide the latency of an addition.
constexpr int kUnroll = 4;

VULTUS_INLINE float sum_of(Vec v) {
  v += __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  v += __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  v += __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  return v[0] + v[1];
}

/// `Rows` rows of `a` against row `c` of the weights. One stream of weights a thread:
/// two were a fifth slower.
template <int Rows>
VULTUS_INLINE void column(const Narrow& g, int64_t c) {
  const float *w = g.w + c * g.depth, *a = g.a;
  Vec sums[Rows][kUnroll] = {};
  int64_t k = 0;
  for (; k + kUnroll * kLanes <= g.depth; k += kUnroll * kLanes)
#pragma GCC unroll 4
    for (int u = 0; u < kUnroll; ++u) {
      __builtin_prefetch(w + k + u * kLanes + kAhead);
      Vec weights = load(w + k + u * kLanes);
#pragma GCC unroll 4
      for (int i = 0; i < Rows; ++i)
        sums[i][u] += weights * load(a + i * g.depth + k + u * kLanes);
    }
  for (int i = 0; i < Rows; ++i) {
    float total = sum_of((sums[i][0] + sums[i][1]) + (sums[i][2] + sums[i][3]));
    for (int64_t rest = k; rest < g.depth; ++rest)
      total += w[rest] * a[i * g.depth + rest];
    g.y[i * g.columns + c] = total + (g.bias ? g.bias[c] : 0.0f);
  }
}

VULTUS_SIMD void columns_of(const Narrow& g, int64_t rows, int64_t first, int64_t last) {
  for (int64_t c = first; c < last; ++c)
    switch (rows) {
      case 1:
        column<1>(g, c);
        break;
      case 2:
        column<2>(g, c);
        break;
      case 3:
        column<3>(g, c);
        break;
      default:
        column<4>(g, c);
    }
}

VULTUS_SIMD void panel_of(const PointwisePanel& panel, int64_t rows) {
  pointwise_panel<2>(panel, rows);
}

}  // namespace

void narrow_gemm(const float* a, const float* w, const float* bias, float* y, int64_t rows,
                 int64_t columns, int64_t depth) {
  Narrow g{a, w, bias, y, columns, depth};
#pragma omp parallel
  {
    int64_t thread = omp_get_thread_num(), threads = omp_get_num_threads();
    columns_of(g, rows, columns * thread / threads, columns * (thread + 1) / threads);
  }
}

void panel_gemm(const float* a, const float* panels, const float* bias, float* y, int64_t rows,
                int64_t columns, int64_t depth) {
#pragma omp parallel for schedule(static)
  for (int64_t column = 0; column < columns; column += kPanelColumns)
    panel_of({.in = a,
              .depth = depth,
              .in_pixel = depth,
              .in_block = kLanes,
              .weights = panels + column * depth,
              .bias = bias + column,
              .out = y + column,
              .out_pixel = columns,
              .activation = Activation::none,
              .slope = 0,
              .ahead = kAhead},
             rows);
}

}  // namespace vultus::cpu
