#pragma once

#include <algorithm>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "models/video/stream.hpp"

namespace vultus {

/// One decoded picture.
struct Frame {
  cv::Mat bgr;           ///< 8UC3, upright, VideoInfo::size; owned by this frame
  int64_t index = 0;     ///< counts decoded pictures from 0
  int64_t pts = 0;       ///< in units of VideoInfo::time_base, strictly increasing
  double seconds = 0;    ///< pts * time_base; the first frame need not be at 0
  int64_t duration = 0;  ///< in units of time_base; 0: unknown
  /// The decoder concealed errors in this picture, or in one that it was predicted from: not a
  /// measurement.
  bool damaged = false;
};

/// What reading has come to so far; complete after `next` has returned nothing or an error.
struct ReadSummary {
  int64_t declared_frames = 0;  ///< 0: the container does not say
  int64_t decoded_frames = 0;
  int64_t damaged_frames = 0;
  int64_t trimmed_frames = 0;  ///< outside the edit list: declared, but not part of the recording
  /// Packets that the demuxer calls broken or the decoder refuses. The decoder's threads may hide a
  /// refusal or report one twice: more than zero is certain, the number is not.
  int64_t decoder_errors = 0;
  int64_t moved_stamps = 0;  ///< missing, equal or backward time stamps that were made increasing
  int64_t lost_frames() const {
    return std::max<int64_t>(0, declared_frames - trimmed_frames - decoded_frames);
  }
  /// What is known to be missing though no count tells it, one sentence each.
  std::vector<std::string> missing;
  /// What was unusual, one sentence each.
  std::vector<std::string> warnings;
};

/// Decodes the first video stream of a regular file, picture by picture in order of presentation,
/// with FFmpeg. Only local files are touched: playlists and references to other files are refused.
/// Threads: one reader belongs to one thread at a time.
class VideoReader {
 public:
  struct Options {
    int threads = 0;         ///< of the decoder; 0: one for every four cores, 1 to 4
    int max_side_px = 8192;  ///< larger pictures are refused
  };
  /// bad_input with the file's name and the reason: missing, not a regular file, empty, cut off,
  /// not a video, too large, codec unknown.
  static Result<VideoReader> open(const std::string& path, const Options& options);
  static Result<VideoReader> open(const std::string& path) { return open(path, Options{}); }

  VideoReader(VideoReader&&) noexcept;
  VideoReader& operator=(VideoReader&&) noexcept;
  ~VideoReader();

  const VideoInfo& info() const;
  /// The next picture; nothing at the end. Decoding errors inside the file are counted and passed
  /// over; a change of the picture size ends the file, and what follows is missing.
  Result<std::optional<Frame>> next();
  /// Decodes up to `count` pictures as `next` does, without making frames of them. Returns how many
  /// there were.
  Result<int64_t> skip(int64_t count);
  const ReadSummary& summary() const;

 private:
  struct State;
  explicit VideoReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vultus
