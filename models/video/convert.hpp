#pragma once

// Inside models/video only.

#include <opencv2/core/mat.hpp>
#include <optional>

#include "models/video/ffmpeg.hpp"

namespace vultus::ffmpeg {

/// Turns decoded pictures into 8UC3 BGR with the frame's own matrix and range, as the ffmpeg
/// command does with -sws_flags bicubic+accurate_rnd+full_chroma_int+full_chroma_inp.
class ToBgr {
 public:
  /// `bgr` gets new memory of the coded size.
  Result<void> operator()(const AVFrame& frame, cv::Mat& bgr);

 private:
  Owned<SwsContext> scaler_;
  cv::Size size_;
  int format_ = AV_PIX_FMT_NONE;
  int colour_space_ = -1;
  int range_ = -1;
};

/// 8UC3 BGR to 4:2:0 in `frame`, which has memory of the picture's size or one column or row more,
/// a copy of the last; in the matrix and the range that it says when first used.
class FromBgr {
 public:
  Result<void> operator()(const cv::Mat& bgr, AVFrame& frame);

 private:
  Owned<SwsContext> scaler_;
  cv::Mat padded_;
};

/// The orientation that a display matrix asks for; nothing for angles other than quarter turns.
std::optional<Orientation> orientation_of(const int32_t* display_matrix);
/// Brings a coded picture upright.
cv::Mat upright(cv::Mat coded, Orientation orientation);

}  // namespace vultus::ffmpeg
