#pragma once

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <span>

#include "models/face/landmarks.hpp"

namespace vultus::face {

/// An upright square of the frame, in pixels.
struct Square {
  Point centre;
  double side = 0;
};

/// Where the pixels of a crop lie in its square: `centres`, side/size wide each, as a resize does;
/// `corners`, x = cx + (u - (size-1)/2) side/size, as STAR was trained.
enum class CropGrid : uint8_t { centres, corners };

/// What becomes of a sample v in 0..255: v * scale + shift per channel, in the order of the
/// network.
struct CropFormat {
  enum class Channels : uint8_t { bgr, rgb, grey };
  Channels channels = Channels::rgb;
  std::array<float, 3> scale{1, 1, 1};
  std::array<float, 3> shift{0, 0, 0};

  size_t planes() const { return channels == Channels::grey ? 1 : 3; }
};

/// Samples `square` of an 8UC3 BGR picture into `size` x `size` planes (NCHW): plain bilinear, one
/// tap pair per axis and no low-pass, zero outside the picture, not rounded. Pixel centres lie at
/// integers. Grey is 0.299 R + 0.587 G + 0.114 B. `out` holds planes() * size * size floats.
void crop(const cv::Mat& bgr, const Square& square, int size, CropGrid grid,
          const CropFormat& format, std::span<float> out);

/// The squares that the networks were made for, around a detector's box.
Square square_of_longer_side(const Box& box);   ///< PFLD, MTL
Square square_of_shorter_side(const Box& box);  ///< STAR: 1.05 times
Square square_of_height(const Box& box);        ///< 68 points

}  // namespace vultus::face
