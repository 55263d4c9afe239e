#pragma once

#include <opencv2/core/mat.hpp>
#include <optional>

#include "models/face/landmarks.hpp"

namespace vultus::face {

/// How blurred a face is, 0 to 1: the perceptual blur metric of Crete et al. 2007, the share of the
/// differences between neighbouring pixels that outlasts averaging. Taken of the box (of an 8UC3
/// picture) resampled to 64 x 64 with averages over 7, so that blur counts against the face, not
/// against the pixel; the worse of the two directions. Nothing where no pixel of the box is in the
/// picture or they are all alike.
std::optional<double> blur_of(const cv::Mat& bgr, const Box& box);

}  // namespace vultus::face
