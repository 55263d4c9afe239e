#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/run/session.hpp"
#include "models/face/detection.hpp"

namespace vultus::face {

struct RetinaFaceOptions {
  double score_threshold = 0.5;  ///< faces score more than this
  double nms_threshold = 0.4;
  std::string input = "input";  ///< name of the network's input
};

/// RetinaFace on pictures of their own size (no resizing): BGR minus (104, 117, 123), a network
/// with CropWarp before it and RetinaFaceDecode behind. It is bound once to each picture size; the
/// few sizes used last are kept. Of more than `kMostFaces` faces the best are found.
class RetinaFace : public Detector {
 public:
  static constexpr int64_t kMostFaces = 128;

  /// Reads and checks the network at `path` (bound to a small picture, so that a wrong one is
  /// refused now). The devices in `session` outlive the detector.
  static Result<std::unique_ptr<RetinaFace>> open(
      std::string path, SessionOptions session, const RetinaFaceOptions& options,
      std::shared_ptr<Picture> picture = std::make_shared<Picture>());
  Result<std::vector<Detection>> search(size_t frame) override;
  Result<std::optional<NetworkPart>> area_part() const override;
  Transfers transfers() const override;

 private:
  struct Bound {
    cv::Size size;
    PictureNetwork network;
  };
  RetinaFace(std::string path, SessionOptions session, const RetinaFaceOptions& options,
             std::shared_ptr<Picture> picture)
      : Detector(std::move(picture)),
        file_(std::move(path)),
        session_options_(std::move(session)),
        options_(options) {}
  Result<std::vector<Detection>> search_resampled(size_t frame, const SearchArea& area) override;
  Result<std::vector<Detection>> run(cv::Size size, const CropRectangle& rectangle);
  Result<PictureNetwork*> bound(cv::Size size);
  Result<Graph> graph_for(cv::Size size) const;
  Result<PictureNetwork> bind(cv::Size size) const;

  OpenedFile file_;
  SessionOptions session_options_;
  RetinaFaceOptions options_;
  std::list<Bound> bound_;  ///< most recently used first
  Transfers dropped_;       ///< of sessions no longer kept
};

}  // namespace vultus::face
