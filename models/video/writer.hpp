#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "models/video/stream.hpp"

namespace vultus {

struct WriterOptions {
  cv::Size size;        ///< of the pictures to be written
  Rational time_base;   ///< of the time stamps to be written
  Rational frame_rate;  ///< told to the player; the time stamps rule
  int crf = 18;         ///< x264 quality, 0 lossless .. 51
  std::string preset = "veryfast";
  int threads = 0;  ///< of the encoder; 0: x264 decides
  /// File whose first audio stream is copied unchanged; empty: no sound. A codec that MP4 cannot
  /// hold is left out with a warning.
  std::string audio_from = {};
  bool index_first = false;  ///< rewrites the finished file so that it plays while it downloads

  /// Size, time base and rate of a source; sound from it when `with_audio`.
  static WriterOptions like(const VideoInfo& source, bool with_audio = true);
};

struct WriteSummary {
  int64_t frames = 0;
  int64_t audio_packets = 0;
  std::vector<std::string> warnings;
};

/// H.264 (libx264, 4:2:0) in MP4. Time stamps are kept exactly, so variable frame rates survive.
/// Odd sizes get one more column or row, a copy of the last. Colours are BT.709 from 720 lines on
/// and BT.601 below, limited range, and tagged so. The file appears under its name only in
/// `finish`; until then it is `<path>.partial`, which the destructor removes.
class VideoWriter {
 public:
  /// unwritable with path and system text; bad_input for impossible sizes or rates.
  static Result<VideoWriter> create(const std::string& path, const WriterOptions& options);

  VideoWriter(VideoWriter&&) noexcept;
  VideoWriter& operator=(VideoWriter&&) noexcept;
  ~VideoWriter();

  /// `bgr` 8UC3 of WriterOptions::size. `pts` must increase; `duration` 0: unknown, until the next.
  Result<void> write(const cv::Mat& bgr, int64_t pts, int64_t duration);
  /// Writes what is left, syncs to disk and renames. No call may follow.
  Result<WriteSummary> finish();

 private:
  struct State;
  explicit VideoWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vultus
