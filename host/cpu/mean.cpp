#include "host/cpu/mean.hpp"

#include <algorithm>

#include "host/cpu/simd.hpp"

namespace vultus::cpu {
namespace {

/// Means of `Lanes` neighbouring channels over `points`, `stride` floats apart. Partial sums of 64
/// points keep the rounding error of large maps small.
template <int Lanes>
[[gnu::always_inline]] inline void mean_of(const float* in, int64_t points, int64_t stride,
                                           float* out) {
  float total[Lanes] = {};
  for (int64_t start = 0; start < points; start += 64) {
    float sum[Lanes] = {};
    int64_t end = std::min<int64_t>(start + 64, points);
    for (int64_t i = start; i < end; ++i)
      for (int c = 0; c < Lanes; ++c)
        sum[c] += in[i * stride + c];
    for (int c = 0; c < Lanes; ++c)
      total[c] += sum[c];
  }
  for (int c = 0; c < Lanes; ++c)
    out[c] = total[c] / static_cast<float>(points);
}

VULTUS_SIMD void mean_64(const float* in, int64_t points, int64_t stride, float* out) {
  mean_of<64>(in, points, stride, out);
}

VULTUS_SIMD void mean_16(const float* in, int64_t points, int64_t stride, float* out) {
  mean_of<16>(in, points, stride, out);
}

void mean_channels(const float* in, int64_t points, int64_t stride, int64_t channels, float* out) {
  int64_t c = 0;
  for (; c + 64 <= channels; c += 64)
    mean_64(in + c, points, stride, out + c);
  for (; c + 16 <= channels; c += 16)
    mean_16(in + c, points, stride, out + c);
  for (; c < channels; ++c)
    mean_of<1>(in + c, points, stride, out + c);
}

/// One row-major map: sixteen neighbouring points as if they were channels, then their mean.
float mean_map(const float* in, int64_t points) {
  int64_t wide = points / 16;
  double total = 0;
  if (wide > 0) {
    float lanes[16];
    mean_16(in, wide, 16, lanes);
    for (float lane : lanes)
      total += static_cast<double>(lane) * static_cast<double>(wide);
  }
  for (int64_t i = wide * 16; i < points; ++i)
    total += static_cast<double>(in[i]);
  return static_cast<float>(total / static_cast<double>(points));
}

// Channels last is one group: cut it into pieces that keep every thread busy.
int64_t piece_of(const Arrangement& a) {
  return std::min<int64_t>(a.block, 64);
}

int64_t pieces_per_group(const Arrangement& a) {
  return (a.block + piece_of(a) - 1) / piece_of(a);
}

}  // namespace

int64_t mean_pieces(const Arrangement& a) {
  return a.batch * a.groups * pieces_per_group(a);
}

void mean_of_piece(const float* in, const Arrangement& a, int64_t piece, float* out) {
  int64_t group = piece / pieces_per_group(a), first = piece % pieces_per_group(a) * piece_of(a);
  const float* start = in + group * a.points * a.block + first;
  if (a.block == 1)
    out[group] = mean_map(start, a.points);
  else
    mean_channels(start, a.points, a.block, std::min(piece_of(a), a.block - first),
                  out + group * a.block + first);
}

}  // namespace vultus::cpu
