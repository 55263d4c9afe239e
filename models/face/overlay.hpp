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
};

/// "frame 123   4.100 s   face 0.998"; without a confidence "no face".
std::string overlay_header(int64_t frame, double seconds, std::optional<double> confidence);

/// A copy of the frame (8UC3) with the overlay; line widths and text follow the frame's height.
cv::Mat draw_overlay(const cv::Mat& frame, const Overlay& overlay);

}  // namespace vultus::face
