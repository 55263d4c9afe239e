#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>

#include "host/core/result.hpp"
#include "models/video/join.hpp"
#include "models/video/stream.hpp"

namespace vultus {

struct WriterOptions {
  cv::Size size;        ///< of the pictures to be written
  Rational time_base;   ///< of the time stamps to be written
  Rational frame_rate;  ///< told to the player; the time stamps rule
  int crf = 18;         ///< x264 quality, 0 lossless .. 51
  std::string preset = "veryfast";
  int threads = 1;  ///< of the encoder; fixed, because the coded bytes depend on it
  JoinOptions file = {};

  /// Size, time base and rate of a source; sound from it when `with_audio`.
  static WriterOptions like(const VideoInfo& source, bool with_audio = true);
};

/// A picture as the encoder takes it: half the memory of BGR. Move-only.
class CodablePicture {
 public:
  CodablePicture() noexcept;
  CodablePicture(CodablePicture&&) noexcept;
  CodablePicture& operator=(CodablePicture&&) noexcept;
  ~CodablePicture();

 private:
  friend class VideoWriter;
  struct State;
  std::unique_ptr<State> state_;
};

/// H.264 (libx264, 4:2:0) in MP4. Time stamps are kept exactly, so variable frame rates survive.
/// Odd sizes get one more column or row, a copy of the last. Colours are BT.709 from 720 lines on
/// and BT.601 below, limited range, and tagged so.
///
/// Coded pictures go to `<path>.packets`; `finish` makes the MP4 of them. The destructor removes
/// them, unless there was a checkpoint: then
/// another writer can go on from it, and they are the caller's to remove. The same pictures with
/// checkpoints at the same places give the same bytes, however often the writing was taken up.
class VideoWriter {
 public:
  /// unwritable with path and system text; bad_input for impossible sizes or rates.
  static Result<VideoWriter> create(const std::string& path, const WriterOptions& options);
  /// Goes on after a checkpoint that returned `length`, with the same options. mismatch where the
  /// packets are not there as they were.
  static Result<VideoWriter> resume(const std::string& path, const WriterOptions& options,
                                    int64_t length);
  static std::string packets_of(const std::string& path) { return path + ".packets"; }

  VideoWriter(VideoWriter&&) noexcept;
  VideoWriter& operator=(VideoWriter&&) noexcept;
  ~VideoWriter();

  /// `bgr` 8UC3 of WriterOptions::size. One other thread may call it than the one that writes.
  Result<CodablePicture> convert(const cv::Mat& bgr);
  /// `pts` must increase; `duration` 0: unknown, until the next.
  Result<void> write(CodablePicture picture, int64_t pts, int64_t duration);
  Result<void> write(const cv::Mat& bgr, int64_t pts, int64_t duration);
  /// Everything written so far is coded and on the disk; the next picture is a key picture that
  /// refers to none before it, from a fresh encoder. Returns the length of the packets' file.
  Result<int64_t> checkpoint();
  int64_t frames() const;  ///< written, those before `resume` included
  /// Codes what is left, makes the MP4, syncs it to disk and renames it. No call may follow.
  Result<WriteSummary> finish();

 private:
  struct State;
  explicit VideoWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace vultus
