#include "host/cpu/stem.hpp"

#include <algorithm>

#include "host/cpu/simd.hpp"
#include "host/cpu/vector_math.hpp"

namespace vultus::cpu {
namespace {

constexpr int kVectors = Stem::kOutputs / kLanes;

struct Row {
  const float *in, *weights, *bias;  ///< `in`: the sample's first pixel
  float* out;                        ///< the row's first pixel
  int64_t y;
};

/// `Pixels` neighbouring results from column `x` on. `Inside`: no column of their windows is
/// padding.
template <int Pixels, bool Inside>
VULTUS_INLINE void tile(const Stem& s, const Row& row, int64_t x) {
  Vec sums[kVectors][Pixels];
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v)
#pragma GCC unroll 16
    for (int i = 0; i < Pixels; ++i)
      sums[v][i] = load(row.bias + v * kLanes);
  const int64_t top = row.y * s.stride - s.pad_top, left = x * s.stride - s.pad_left;
  const int64_t first = std::max<int64_t>(-top, 0);
  const int64_t last = std::min(s.kernel_height, s.in_height - top);
  const int64_t begin = Inside ? 0 : std::max<int64_t>(-left, 0);
  const int64_t end = Inside ? s.kernel_width : std::min(s.kernel_width, s.in_width - left);
  for (int64_t c = 0; c < s.channels; ++c)
    for (int64_t ky = first; ky < last; ++ky) {
      const float* in = row.in + (c * s.in_height + top + ky) * s.in_width + left;
      const float* w =
          row.weights + (c * s.kernel_height + ky) * s.kernel_width * kVectors * kLanes;
#pragma GCC unroll 1
      for (int64_t kx = begin; kx < end; ++kx) {
        Vec weights[kVectors];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v)
          weights[v] = load(w + (kx * kVectors + v) * kLanes);
#pragma GCC unroll 16
        for (int i = 0; i < Pixels; ++i) {
          const Vec point = Vec{} + in[i * s.stride + kx];
#pragma GCC unroll 2
          for (int v = 0; v < kVectors; ++v)
            sums[v][i] += point * weights[v];
        }
      }
    }
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) {
    activate(sums[v], s.activation, s.slope);
#pragma GCC unroll 16
    for (int i = 0; i < Pixels; ++i)
      store(row.out + (x + i) * Stem::kOutputs + v * kLanes, sums[v][i]);
  }
}

VULTUS_SIMD void run_row(const Stem& s, const Row& row) {
  auto up = [&](int64_t a) { return (a + s.stride - 1) / s.stride; };
  // Windows that begin and end inside the image.
  const int64_t begin = std::min(up(s.pad_left), s.out_width);
  const int64_t last = s.in_width + s.pad_left - s.kernel_width;
  const int64_t end = last < 0 ? begin : std::clamp(last / s.stride + 1, begin, s.out_width);
  int64_t x = 0;
  for (; x < begin; ++x)
    tile<1, false>(s, row, x);
  for (; x + 12 <= end; x += 12)
    tile<12, true>(s, row, x);
  for (; x + 4 <= end; x += 4)
    tile<4, true>(s, row, x);
  for (; x < s.out_width; ++x)
    tile<1, false>(s, row, x);
}

}  // namespace

void Stem::run(const float* in, const float* weights, const float* bias, float* out) const {
#pragma omp parallel for schedule(static)
  for (int64_t i = 0; i < batch * out_height; ++i)
    run_row(*this, {.in = in + i / out_height * channels * in_height * in_width,
                    .weights = weights,
                    .bias = bias,
                    .out = out + i * out_width * kOutputs,
                    .y = i % out_height});
}

}  // namespace vultus::cpu
