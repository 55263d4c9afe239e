#pragma once

#include <cstdint>
#include <opencv2/core/types.hpp>
#include <string>
#include <vector>

namespace vultus {

/// An exact fraction, as containers hold rates and time bases; 0/1 means unknown.
struct Rational {
  int64_t num = 0;
  int64_t den = 1;
  double value() const { return static_cast<double>(num) / static_cast<double>(den); }
  bool operator==(const Rational&) const = default;
};

/// How a coded picture is brought upright: mirrored left to right first, then turned clockwise.
struct Orientation {
  int clockwise_degrees = 0;  ///< 0, 90, 180 or 270
  bool mirrored = false;
  bool upright() const { return clockwise_degrees == 0 && !mirrored; }
  bool operator==(const Orientation&) const = default;
};

/// What the container and the codec say about the first video stream of a file.
struct VideoInfo {
  std::string path;
  cv::Size size;        ///< as displayed (orientation applied): the size of every Frame
  cv::Size coded_size;  ///< as stored
  Orientation orientation;
  Rational frame_rate;          ///< mean over the file
  Rational nominal_frame_rate;  ///< least common rate of the time stamps (r_frame_rate)
  Rational time_base;           ///< seconds per unit of Frame::pts
  int64_t declared_frames = 0;  ///< 0: the container does not say
  /// The container's word, 0 if none; MP4 sums decoding times, so at variable rates it may be off.
  double duration_seconds = 0;
  std::string codec;
  std::string pixel_format;
  bool full_range = false;
  bool has_audio = false;
  std::string audio_codec;
  std::vector<std::string> warnings;
};

/// A point of the displayed picture in coordinates of the coded one. Pixel centres lie at integers.
cv::Point2d coded_from_displayed(const VideoInfo& info, cv::Point2d displayed);

}  // namespace vultus
