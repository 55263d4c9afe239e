#pragma once

#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>

#include "models/face/landmarks.hpp"
#include "models/face/midline.hpp"

namespace vultus::face {

/// What is drawn over a frame; every part may be absent. Coordinates in pixels of the frame.
struct Overlay {
  std::optional<Box> box = std::nullopt;
  Landmarks landmarks = {};  ///< points and the outlines of their scheme; may be empty
  std::optional<Midline> midline = std::nullopt;  ///< drawn through the whole frame
  std::string header = {};                        ///< one line at the upper left
  std::string warning = {};                       ///< behind it, in another colour
  bool mirrored_input = false;                    ///< as selfies are: the letters change sides
};

/// "frame 123   4.100 s   face 0.998"; without a confidence "no face".
std::string overlay_header(int64_t frame, double seconds, std::optional<double> confidence);

/// Writes L and R on a picture (8UC3), for the subject's own left and right, `reach` pixels to
/// either side of the midline or as far inside the picture as they need; capitals of `height`
/// pixels. A letter without room on its side is left out, as both are where the midline is not
/// finite.
void draw_sides(cv::Mat& picture, const Midline& midline, double reach, double height,
                bool mirrored_input);

/// A copy of the frame (8UC3) with the overlay, and with L and R beside the midline where it has
/// a box too; line widths and text follow the frame's height.
cv::Mat draw_overlay(const cv::Mat& frame, const Overlay& overlay);

}  // namespace vultus::face
