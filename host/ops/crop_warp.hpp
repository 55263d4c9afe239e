#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// An upright rectangle of a picture by its middle and its sides, in pixels.
struct CropRectangle {
  double x = 0, y = 0, width = 0, height = 0;
};

/// Where the pixels of a crop lie in its rectangle: `centres`, width/size wide each, pixel i of the
/// picture covering i..i+1, as a resize does; `corners`, x + (u - (size-1)/2) width/size with pixel
/// centres at integers.
enum class CropGrid : uint8_t { centres, corners };

/// How a crop is sampled and what becomes of a sample v in 0..255: v * scale + shift per channel of
/// the result.
struct CropWarp {
  enum class Channels : uint8_t { bgr, rgb, grey };
  int64_t height = 0, width = 0;
  CropGrid grid = CropGrid::centres;
  bool area = false;  ///< average over what a pixel covers where the crop shrinks
  Channels channels = Channels::bgr;
  std::array<float, 3> scale{1, 1, 1}, shift{0, 0, 0};

  int64_t planes() const { return channels == Channels::grey ? 1 : 3; }
};

/// 8-bit BGR in host memory, rows `stride` bytes apart.
struct PicturePixels {
  const uint8_t* bytes = nullptr;
  int64_t height = 0, width = 0, stride = 0;
};

/// The settings of a CropWarp node; Errc::bad_model where an attribute is missing or wrong.
Result<CropWarp> crop_warp_of(const Node& node);
/// Memory that `crop_warp` needs.
int64_t crop_scratch_bytes(const CropWarp& crop);
/// Writes planes() * height * width floats: plain bilinear, one tap pair per axis and no low-pass
/// unless `area`; zero outside the picture; not rounded. Grey is 0.299 R + 0.587 G + 0.114 B.
/// `scratch` is aligned for doubles.
void crop_warp(const PicturePixels& picture, const CropRectangle& rectangle, const CropWarp& crop,
               std::byte* scratch, float* out);

}  // namespace vultus
