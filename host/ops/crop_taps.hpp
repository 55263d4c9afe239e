#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "host/ops/crop_warp.hpp"

namespace vultus {

/// The pixels first..last of one axis that a pixel of a crop is made of, and their weights: the
/// first, the last (both where they are the same), and those between. 0 outside the picture.
struct CropTaps {
  int32_t first = 0, last = 0;
  float first_weight = 0, last_weight = 0, middle = 0;

  float weight(int32_t i) const {
    if (i != first && i != last) return middle;
    return (i == first ? first_weight : 0) + (i == last ? last_weight : 0);
  }
};

/// One axis of a rectangle, its crop and the picture.
struct CropAxis {
  double centre, side;
  int64_t size, source;

  bool shrinks() const { return side > static_cast<double>(size); }
};

/// The taps of every pixel of the crop along the axis; neighbours, or averages where `area` and the
/// axis shrinks. They do not go backwards unless the side is negative.
void fill_taps(std::span<CropTaps> taps, const CropAxis& axis, const CropWarp& crop);

inline std::array<float, 3> pixel_of(const PicturePixels& picture, int64_t y, int64_t x) {
  const uint8_t* at = picture.bytes + y * picture.stride + 3 * x;
  return {float(at[0]), float(at[1]), float(at[2])};
}

/// Averages of a row of the crop for columns that lie within `kCropStrip` pixels of the picture:
/// `sums` gets B, G, R for each of them.
void average_strip(const PicturePixels& picture, const CropTaps& row,
                   std::span<const CropTaps> columns, std::array<float, 3>* sums);
inline constexpr int32_t kCropStrip = 1024;

}  // namespace vultus
