#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// An upright rectangle of a picture by its middle and its sides, in pixels. `picture`: the number
/// of the picture where there are several.
struct CropRectangle {
  double x = 0, y = 0, width = 0, height = 0;
  size_t picture = 0;
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

/// Bytes of one of the pictures that a CropWarp node reads: they all have that height and width,
/// and picture i begins i times as many bytes into its input. common/picture.glsl counts the same.
constexpr int64_t picture_bytes(int64_t height, int64_t width) {
  return 3 * height * width;
}

/// Width in pixels, across a mirror line, of the band in which both halves are cross-faded.
inline constexpr float kMirrorSeam = 6;

/// Makes a picture symmetric before it is cropped: the half that lies to the normal's side (`side`
/// 1) or to the other one (-1) is kept, its reflection stands on the other; 0: as it is. In the
/// seam the weight of the picture goes linearly from 1 to 0. Reflections are bilinear, the border
/// is repeated outside, and every pixel is rounded to 8 bits.
struct MirrorLine {
  double x = 0, y = 0;                ///< a point of the line
  double normal_x = 0, normal_y = 0;  ///< of length 1
  int side = 0;
};
/// B, G, R of a pixel of the mirrored picture. The pixel lies in the picture, which is not empty.
std::array<float, 3> mirrored_pixel(const PicturePixels& picture, const MirrorLine& line, int64_t y,
                                    int64_t x);

/// The settings of a CropWarp node; Errc::bad_model where an attribute is missing or wrong.
Result<CropWarp> crop_warp_of(const Node& node);
/// Whether the node goes by its size, and may be given fewer bytes than its picture's shape says.
bool takes_fewer_bytes(const Node& node);
/// Memory that `crop_warp` needs.
int64_t crop_scratch_bytes(const CropWarp& crop);
/// Writes planes() * height * width floats: plain bilinear, one tap pair per axis and no low-pass
/// unless `area`; zero outside the picture; not rounded. Grey is 0.299 R + 0.587 G + 0.114 B.
/// `scratch` is aligned for doubles.
void crop_warp(const PicturePixels& picture, const CropRectangle& rectangle, const CropWarp& crop,
               std::byte* scratch, float* out, const MirrorLine& mirror = {});

}  // namespace vultus
