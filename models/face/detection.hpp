#pragma once

#include <array>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "host/core/result.hpp"
#include "host/run/session.hpp"
#include "models/face/landmarks.hpp"
#include "models/face/picture.hpp"

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

/// An upright square of a frame that is looked at alone, black where it lies outside.
struct SearchArea {
  int x = 0, y = 0;  ///< its first pixel
  int side = 1;      ///< in pixels
};

/// Finds faces in a frame. One thread at a time.
class Detector {
 public:
  explicit Detector(std::shared_ptr<Picture> picture) : picture_(std::move(picture)) {}
  virtual ~Detector() = default;
  Detector(const Detector&) = delete;
  Detector& operator=(const Detector&) = delete;
  /// `bgr` is 8-bit, three channels. Faces by descending score; ties in prior order.
  Result<std::vector<Detection>> detect(const cv::Mat& bgr);
  /// The same for the frame that the picture shows as number `frame`.
  virtual Result<std::vector<Detection>> search(size_t frame) = 0;
  /// Looks at a part of that frame, resampled to `kAreaPixels` squared. Boxes and points are in
  /// pixels of the frame.
  Result<std::vector<Detection>> search(size_t frame, const SearchArea& area);
  Picture& picture() { return *picture_; }
  /// The network that looks at an area, whose output is rows of RetinaFaceDecode; nothing where
  /// faces are decoded on the host.
  virtual Result<std::optional<NetworkPart>> area_part() const {
    return std::optional<NetworkPart>();
  }
  /// Summed since it was opened, without pictures.
  virtual Transfers transfers() const = 0;

  static constexpr int kAreaPixels = 192;

 protected:
  /// In pixels of the resampled area.
  virtual Result<std::vector<Detection>> search_resampled(size_t frame, const SearchArea& area) = 0;

  std::shared_ptr<Picture> picture_;
};

}  // namespace vultus::face
