#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>

#include "host/run/session.hpp"
#include "models/face/expression.hpp"
#include "models/face/landmarks.hpp"
#include "models/face/midline.hpp"
#include "models/face/picture.hpp"

namespace vultus::face {

/// Of a face as it is and of the faces made of its left and right half.
struct Expressions {
  Expression whole;
  std::optional<Expression> left, right;  ///< nothing without a midline
};

/// The network for action units, emotion and gaze (OpenFace 3.0's MTL): RGB 224x224 as ImageNet
/// networks take it, the face's box stretched to a square. One thread at a time.
class Multitask {
 public:
  /// Reads the network and checks what it takes and gives: bad_model. The devices in `session`
  /// outlive it. One pass holds all three faces where the network's batch can be changed.
  static Result<std::unique_ptr<Multitask>> open(
      const std::string& path, const SessionOptions& session,
      std::shared_ptr<Picture> picture = std::make_shared<Picture>());

  /// `bgr` 8UC3; `box` in its pixels, its corners truncated and cut off at the border. Nothing when
  /// nothing is left of it.
  Result<std::optional<Expressions>> measure(const cv::Mat& bgr, const Box& box,
                                             const std::optional<Midline>& midline);
  /// The same for the picture that is shown already.
  Result<std::optional<Expressions>> measure(const Box& box, const std::optional<Midline>& midline);
  Transfers transfers() const;  ///< without pictures

 private:
  Multitask(int64_t batch, std::shared_ptr<Picture> picture);
  Result<void> load(Graph graph, const std::string& path, SessionOptions options);
  Result<void> run_crops(const cv::Rect& area, const std::optional<Midline>& midline);
  Result<void> run_planes(const cv::Rect& area, const std::optional<Midline>& midline);
  Result<void> take_results(size_t first);

  std::shared_ptr<Picture> picture_;
  std::optional<PictureNetwork> crops_;  ///< where a GPU crops and mirrors; else
  std::optional<Session> session_;       ///< the network alone: the CPU mirrors whole rows faster
  std::string input_name_, emotion_, gaze_, action_units_;
  Tensor input_;  ///< of one pass: [batch, 3, 224, 224]
  std::vector<float> planes_;
  std::vector<Expression> results_;
};

/// The part of the picture that the network sees for `box`: corners truncated, inside the picture.
cv::Rect expression_area(const Box& box, cv::Size picture);
/// What the network sees of an 8UC3 part of a picture: 224x224, averaged along an axis that shrinks
/// (an antialiased resize, as in its training), bilinear along one that grows: what CropWarp does.
cv::Mat expression_face(const cv::Mat& bgr);

}  // namespace vultus::face
