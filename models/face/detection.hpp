#pragma once

#include <array>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "host/core/result.hpp"
#include "host/run/session.hpp"
#include "models/face/landmarks.hpp"

namespace vultus::face {

/// One face found in a picture.
struct Detection {
  Box box;           ///< frame pixels
  double score = 0;  ///< 0..1
  int prior = -1;    ///< which prior gave it, in the detector's own order
  bool has_points = false;
  std::array<Point, 5> points{};  ///< eye, eye, nose tip, mouth corner, mouth corner; left of the
                                  ///< picture first
};

/// Finds faces in a picture. One thread at a time.
class Detector {
 public:
  virtual ~Detector() = default;
  /// `bgr` is 8-bit, three channels. Faces by descending score; ties in prior order.
  virtual Result<std::vector<Detection>> detect(const cv::Mat& bgr) = 0;
  /// Summed since it was opened.
  virtual Transfers transfers() const = 0;
};

}  // namespace vultus::face
