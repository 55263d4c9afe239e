#pragma once

#include <functional>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "host/ops/crop_warp.hpp"
#include "host/run/session.hpp"

namespace vultus::face {

/// The frame that several networks look at: it goes up once to each device that has one of them.
/// One thread at a time. Outlives the sessions that read it; the devices outlive it.
class Picture {
 public:
  Picture();
  /// The frame from now on: 8UC3 BGR, not empty, else Errc::usage. Rows without gaps are not
  /// copied: they stay unchanged until the next call.
  Result<void> show(const cv::Mat& bgr);
  const cv::Mat& bgr() const { return bgr_; }
  cv::Size size() const { return bgr_.size(); }
  /// Replaced by larger ones when a larger frame comes.
  const std::shared_ptr<SharedBytes>& bytes() const { return bytes_; }
  /// What went up of all frames.
  Transfers transfers() const;

 private:
  cv::Mat bgr_;
  std::shared_ptr<SharedBytes> bytes_;
  Transfers before_;  ///< of bytes that were replaced
};

/// Gives a network, each time anew.
using GraphSource = std::function<Result<Graph>()>;
/// `graph`, which was read of `path`, then whatever is read there; shapes, batch and fusing as in
/// `options`.
GraphSource source_of(Graph graph, const std::string& path, const SessionOptions& options);

/// A network behind a CropWarp node: it looks at rectangles of a picture, one for each of its
/// batch.
class PictureNetwork {
 public:
  /// `source` gives the network alone, now and for frames that are too large for what was compiled;
  /// `input` is where the crops go. Errc::bad_model when crops are not what it takes.
  static Result<PictureNetwork> open(GraphSource source, const std::string& input,
                                     const CropWarp& crop, const SessionOptions& options,
                                     std::shared_ptr<Picture> picture);
  /// The same for one that looks at mirrored pictures too.
  static Result<PictureNetwork> open_mirrored(GraphSource source, const std::string& input,
                                              const CropWarp& crop, const SessionOptions& options,
                                              std::shared_ptr<Picture> picture);
  /// Runs on rectangles of the picture shown, as many as the batch; of the picture mirrored, where
  /// the network was opened for it, about as many lines.
  Result<void> run(std::span<const CropRectangle> rectangles,
                   std::span<const MirrorLine> mirrors = {});
  const Session& session() const { return session_; }
  Transfers transfers() const;
  int64_t batch() const { return rectangles_.shape()[0]; }

 private:
  struct Front {
    std::string input;
    CropWarp crop;
    bool mirrored = false;
  };
  PictureNetwork(GraphSource source, Front front, SessionOptions options,
                 std::shared_ptr<Picture> picture, Session session, int64_t batch);
  static Result<PictureNetwork> open(GraphSource source, Front front, const SessionOptions& options,
                                     std::shared_ptr<Picture> picture);
  static Result<Session> load(const GraphSource& source, const Front& front, SessionOptions options,
                              const Picture& picture);
  Result<void> follow_picture();

  GraphSource source_;
  Front front_;
  SessionOptions options_;
  std::shared_ptr<Picture> picture_;
  std::shared_ptr<SharedBytes> bytes_;  ///< that the session reads
  Session session_;
  Transfers before_;  ///< of sessions that were replaced
  Tensor size_, rectangles_, mirrors_;
};

}  // namespace vultus::face
