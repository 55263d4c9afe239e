#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/run/session.hpp"
#include "models/face/detection.hpp"
#include "models/face/priors.hpp"

namespace vultus::face {

struct RetinaFaceOptions {
  double score_threshold = 0.5;  ///< faces score more than this
  double nms_threshold = 0.4;
  std::string input = "input";  ///< name of the network's input
};

/// Decodes the network's rows for a picture of width x height pixels: `loc` [N,4], `conf` [N,2]
/// after softmax, `landms` [N,10], one row per prior. Variances 0.1 and 0.2; corners = centre -+
/// size/2, times the picture's size; double precision; NMS counts pixels (+1). Deng et al. 2019 and
/// its reference code.
std::vector<Detection> decode_retinaface(std::span<const float> loc, std::span<const float> conf,
                                         std::span<const float> landms,
                                         std::span<const Prior> priors, int width, int height,
                                         const RetinaFaceOptions& options);

/// RetinaFace on pictures of their own size (no resizing): BGR minus (104, 117, 123). The network
/// is bound once to each picture size; the few sizes used last are kept.
class RetinaFace : public Detector {
 public:
  /// Reads and checks the network at `path` (bound to a small picture, so that a wrong one is
  /// refused now). The devices in `session` outlive the detector.
  static Result<std::unique_ptr<RetinaFace>> open(std::string path, SessionOptions session,
                                                  const RetinaFaceOptions& options);
  Result<std::vector<Detection>> detect(const cv::Mat& bgr) override;
  Transfers transfers() const override;

 private:
  struct Bound {
    int width, height;
    Session session;
    std::vector<Prior> priors;
    Tensor input;
  };
  RetinaFace(std::string path, SessionOptions session, const RetinaFaceOptions& options)
      : path_(std::move(path)), session_options_(std::move(session)), options_(options) {}
  Result<Bound*> bound(int width, int height);

  std::string path_;
  SessionOptions session_options_;
  RetinaFaceOptions options_;
  std::list<Bound> bound_;  ///< most recently used first
  Transfers dropped_;       ///< of sessions no longer kept
};

}  // namespace vultus::face
