#pragma once

#include <memory>
#include <span>
#include <string>

#include "models/face/detection.hpp"

namespace vultus::face {

struct UltraLightOptions {
  double score_threshold = 0.65;
  double nms_threshold = 0.4;
  bool rgb = true;  ///< order of the channels the network is fed with
  std::string input = "input";
};

/// Decodes `scores` [N,2] (face second) and `boxes` [N,4] (corners in 0..1) for a picture of
/// width x height pixels.
std::vector<Detection> decode_ultra_light(std::span<const float> scores,
                                          std::span<const float> boxes, int width, int height,
                                          const UltraLightOptions& options);

/// Ultra-Light-Fast-Generic-Face-Detector RFB-320 (Linzaer 2019): the whole picture squeezed to
/// 320x240, (v - 127) / 128. Quick and coarse; no points.
class UltraLight : public Detector {
 public:
  /// The devices in `session` outlive the detector.
  static Result<std::unique_ptr<UltraLight>> open(const std::string& path,
                                                  const SessionOptions& session,
                                                  const UltraLightOptions& options);
  Result<std::vector<Detection>> detect(const cv::Mat& bgr) override;
  Transfers transfers() const override { return session_.transfers(); }

 private:
  UltraLight(Session session, const UltraLightOptions& options, std::string scores,
             std::string boxes);

  Session session_;
  UltraLightOptions options_;
  std::string scores_, boxes_;  ///< names of the outputs
  Tensor input_;
};

}  // namespace vultus::face
