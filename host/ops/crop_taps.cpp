#include "host/ops/crop_taps.hpp"

#include <cmath>

#include "host/cpu/simd.hpp"

namespace vultus {

namespace {

CropTaps neighbours(const CropAxis& axis, CropGrid grid, int64_t u) {
  const auto at_u = static_cast<double>(u), size = static_cast<double>(axis.size);
  const double at = grid == CropGrid::centres
                        ? axis.centre - axis.side / 2 + (at_u + 0.5) * axis.side / size - 0.5
                        : axis.centre + (at_u - (size - 1) / 2) * axis.side / size;
  CropTaps taps;
  // Far outside, or not a number: both are outside, and the cast would overflow.
  if (!(at > -1 && at < static_cast<double>(axis.source))) return taps;
  const double low = std::floor(at);
  const auto first = static_cast<int32_t>(low);
  const auto fraction = static_cast<float>(at - low);
  taps.first = std::max(first, 0);
  taps.last = std::min(first + 1, static_cast<int32_t>(axis.source) - 1);
  if (first >= 0) taps.first_weight = 1 - fraction;
  if (first + 1 < axis.source) taps.last_weight = fraction;
  return taps;
}

/// Of what the pixel covers, u/size to (u+1)/size of the side.
CropTaps average(const CropAxis& axis, int64_t u) {
  const double step = axis.side / static_cast<double>(axis.size);
  const double left = axis.centre - axis.side / 2, source = static_cast<double>(axis.source);
  const double begin = std::max(left + static_cast<double>(u) * step, 0.0);
  const double end = std::min(left + static_cast<double>(u + 1) * step, source);
  CropTaps taps;
  if (!(begin < end)) {
    if (begin > 0) taps.first = taps.last = static_cast<int32_t>(axis.source) - 1;
    return taps;
  }
  taps.first = static_cast<int32_t>(std::min(std::floor(begin), source - 1));
  taps.last = static_cast<int32_t>(std::min(std::ceil(end), source)) - 1;
  taps.middle = static_cast<float>(1 / step);
  const double inside = taps.first == taps.last ? end : taps.first + 1.0;
  taps.first_weight = static_cast<float>((inside - begin) / step);
  if (taps.first != taps.last) taps.last_weight = static_cast<float>((end - taps.last) / step);
  return taps;
}

VULTUS_SIMD void add_row(float* sums, const uint8_t* line, float weight, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    sums[i] += weight * static_cast<float>(line[i]);
}

/// `values`: B, G, R of the pixels from `left` on.
std::array<float, 3> weighted(const CropTaps& taps, const float* values, int32_t left) {
  const float* at = values + int64_t{3} * (taps.first - left);
  std::array<float, 3> middle{}, sum{};
  for (int32_t i = taps.first + 1; i < taps.last; ++i)
    for (size_t c = 0; c < 3; ++c)
      middle[c] += at[3 * static_cast<size_t>(i - taps.first) + c];
  const float* last = values + int64_t{3} * (taps.last - left);
  for (size_t c = 0; c < 3; ++c)
    sum[c] = taps.first_weight * at[c] + taps.middle * middle[c] + taps.last_weight * last[c];
  return sum;
}

}  // namespace

void fill_taps(std::span<CropTaps> taps, const CropAxis& axis, const CropWarp& crop) {
  for (size_t u = 0; u < taps.size(); ++u)
    taps[u] = crop.area && axis.shrinks() ? average(axis, static_cast<int64_t>(u))
                                          : neighbours(axis, crop.grid, static_cast<int64_t>(u));
}

void average_strip(const PicturePixels& picture, const CropTaps& row,
                   std::span<const CropTaps> columns, std::array<float, 3>* sums) {
  const int32_t left = columns.front().first;
  const int64_t count = int64_t{3} * (columns.back().last - left + 1);
  std::array<float, size_t{3} * kCropStrip> rows;
  std::fill(rows.begin(), rows.begin() + count, 0.0f);
  for (int32_t y = row.first; y <= row.last; ++y)
    add_row(rows.data(), picture.bytes + y * picture.stride + int64_t{3} * left, row.weight(y),
            count);
  for (const CropTaps& column : columns)
    *sums++ = weighted(column, rows.data(), left);
}

}  // namespace vultus
