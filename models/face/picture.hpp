#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "host/ops/crop_warp.hpp"
#include "host/run/session.hpp"

namespace vultus::face {

/// The frames that several networks look at: they go up once to each device that has one of them.
/// One thread at a time. Outlives the sessions that read it; the devices outlive it.
class Picture {
 public:
  /// Shows up to `most_frames` at once, 1 or more; networks that look at faces of all of them have
  /// about as large a batch.
  explicit Picture(size_t most_frames = 1);
  /// The frames from now on: 8UC3 BGR, not empty, all of one size, at least one and no more than
  /// `most_frames`, else Errc::usage. Rows without gaps are not copied: they stay unchanged until
  /// the next call.
  Result<void> show(std::span<const cv::Mat> bgr);
  Result<void> show(const cv::Mat& bgr) { return show(std::span(&bgr, 1)); }
  /// The frame of that number, less than `frames()`.
  const cv::Mat& bgr(size_t frame = 0) const { return frames_[frame]; }
  size_t frames() const { return frames_.size(); }
  cv::Size size() const { return frames_.empty() ? cv::Size() : frames_.front().size(); }
  size_t most_frames() const { return most_frames_; }
  /// How many frames of that size can be shown at once: 1 to `most_frames`, no more than what every
  /// Vulkan device lets a kernel see.
  size_t most_frames(cv::Size size) const;
  /// Replaced by larger ones when a larger frame comes.
  const std::shared_ptr<SharedBytes>& bytes() const { return bytes_; }
  /// What went up of all frames.
  Transfers transfers() const;

 private:
  size_t most_frames_;
  std::vector<cv::Mat> frames_;
  std::shared_ptr<SharedBytes> bytes_;
  Transfers before_;  ///< of bytes that were replaced
};

/// A file that is read more than once and must stay as it was when this was made.
class OpenedFile {
 public:
  explicit OpenedFile(std::string path);
  const std::string& path() const { return path_; }
  Result<void> unchanged() const;  ///< Errc::bad_model where its time or size is another

 private:
  using State = std::pair<std::filesystem::file_time_type, uintmax_t>;
  static State state_of(const std::string& path);
  std::string path_;
  State state_;
};

/// Gives a network, each time anew.
using GraphSource = std::function<Result<Graph>()>;
/// `graph`, which was read of `path`, then whatever is read there; shapes, batch and fusing as in
/// `options`. Outputs of other names are left out: some networks give heat maps as well, which
/// would come down with every face.
GraphSource source_of(Graph graph, const std::string& path, const SessionOptions& options,
                      std::vector<std::string> outputs);

/// Names of what every graph that looks at the picture is given: its bytes [capacity] (u8) and the
/// frames' height and width [2] (i32).
inline constexpr const char *kPictureBytes = "vultus.picture",
                            *kPictureSize = "vultus.picture_size";
/// A CropWarp node.
Node crop_node(const CropWarp& crop);

/// A network, what its input takes of the picture, and its outputs by name.
struct NetworkPart {
  Graph graph;
  std::string input;
  CropWarp crop;
  std::vector<std::string> outputs;
};

/// A graph that looks at the frames shown, compiled; anew when they are larger than any before.
class PictureSession {
 public:
  /// `source` gives the graph for a picture of that many bytes: it reads both inputs above, and
  /// what else is set before a run.
  using Source = std::function<Result<Graph>(const Shape& bytes)>;
  static Result<PictureSession> open(Source source, const SessionOptions& options,
                                     std::shared_ptr<Picture> picture);
  /// Whether frames of the size shown need no new plan.
  bool fits() const { return bytes_ == picture_->bytes(); }
  /// Ready for the frames shown: set its other inputs and run it.
  Result<Session*> ready();
  const Session& session() const { return session_; }
  Transfers transfers() const;
  const Picture& picture() const { return *picture_; }

 private:
  PictureSession(Source source, const SessionOptions& options, std::shared_ptr<Picture> picture,
                 Session session);
  static Result<Session> load(const Source& source, SessionOptions options, const Picture& picture);

  Source source_;
  SessionOptions options_;
  std::shared_ptr<Picture> picture_;
  std::shared_ptr<SharedBytes> bytes_;  ///< that the session reads
  Session session_;
  Transfers before_;  ///< of sessions that were replaced
  Tensor size_;
};

/// A network behind a CropWarp node: it looks at rectangles of the frames shown, one for each of
/// its batch.
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
  /// Runs on rectangles of the frames shown (`picture` is the number of the frame), as many as the
  /// batch; of the frames mirrored, where the network was opened for it, about as many lines.
  Result<void> run(std::span<const CropRectangle> rectangles,
                   std::span<const MirrorLine> mirrors = {});
  const Session& session() const { return session_.session(); }
  Transfers transfers() const { return session_.transfers(); }
  int64_t batch() const { return rectangles_.shape()[0]; }

 private:
  PictureNetwork(PictureSession session, bool mirrored, int64_t batch);
  static Result<PictureNetwork> open(GraphSource source, const std::string& input,
                                     const CropWarp& crop, bool mirrored,
                                     const SessionOptions& options,
                                     std::shared_ptr<Picture> picture);

  PictureSession session_;
  bool mirrored_;
  Tensor rectangles_, mirrors_;
};

}  // namespace vultus::face
