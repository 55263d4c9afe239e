#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>

#include "host/run/session.hpp"
#include "models/face/expression.hpp"
#include "models/face/landmarks.hpp"
#include "models/face/midline.hpp"

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
  static Result<std::unique_ptr<Multitask>> open(const std::string& path,
                                                 const SessionOptions& session);

  /// `bgr` 8UC3; `box` in its pixels, its corners truncated and cut off at the border. Nothing when
  /// nothing is left of it.
  Result<std::optional<Expressions>> measure(const cv::Mat& bgr, const Box& box,
                                             const std::optional<Midline>& midline);
  const Transfers& transfers() const { return session_.transfers(); }

 private:
  Multitask(Session session, int64_t batch);
  Result<void> run(size_t faces);

  Session session_;
  std::string input_name_, emotion_, gaze_, action_units_;
  Tensor input_;  ///< of one pass: [batch, 3, 224, 224]
  std::vector<float> planes_;
  std::vector<Expression> results_;
};

/// The part of the picture that the network sees for `box`: corners truncated, inside the picture.
cv::Rect expression_area(const Box& box, cv::Size picture);

}  // namespace vultus::face
