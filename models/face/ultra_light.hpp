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
  static Result<std::unique_ptr<UltraLight>> open(
      const std::string& path, const SessionOptions& session, const UltraLightOptions& options,
      std::shared_ptr<Picture> picture = std::make_shared<Picture>());
  Result<std::vector<Detection>> search(size_t frame) override;
  Transfers transfers() const override { return network_.transfers(); }

 private:
  UltraLight(PictureNetwork network, const UltraLightOptions& options, std::string scores,
             std::string boxes, std::shared_ptr<Picture> picture)
      : Detector(std::move(picture)),
        network_(std::move(network)),
        options_(options),
        scores_(std::move(scores)),
        boxes_(std::move(boxes)) {}
  Result<std::vector<Detection>> search_resampled(size_t frame, const SearchArea& area) override;
  Result<std::vector<Detection>> run(const CropRectangle& rectangle, cv::Size size);

  PictureNetwork network_;
  UltraLightOptions options_;
  std::string scores_, boxes_;  ///< names of the outputs
};

}  // namespace vultus::face
