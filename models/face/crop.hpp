#pragma once

#include "host/ops/crop_warp.hpp"
#include "models/face/landmarks.hpp"

namespace vultus::face {

/// An upright square of the frame, in pixels.
struct Square {
  Point centre;
  double side = 0;

  CropRectangle rectangle(size_t frame = 0) const {
    return {centre.x, centre.y, side, side, frame};
  }
  /// As networks are given it: in float.
  Square rounded() const;
};

inline constexpr double kStarPerSide = 1.05;
/// The squares that the networks were made for, around a detector's box.
Square square_of_longer_side(const Box& box);   ///< PFLD, MTL
Square square_of_shorter_side(const Box& box);  ///< STAR: kStarPerSide times
Square square_of_height(const Box& box);        ///< 68 points

}  // namespace vultus::face
