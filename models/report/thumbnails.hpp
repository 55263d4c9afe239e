#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "models/measure/measured.hpp"

namespace vultus::report {

using measure::RecordSource;

/// A face in a frame that the page shows.
struct Thumbnail {
  int64_t frame = 0;
  std::optional<double> seconds;
  /// data: addresses of JPEG pictures cut around the face. `whole` has L and R beside the midline,
  /// where there is one. `left` and `right` are made of one half
  /// alone, the subject's own; empty where it has no midline, or where they were not asked for.
  std::string whole, left, right;
};

/// Which frames are wanted.
struct ThumbnailPlan {
  std::vector<int64_t> moments;  ///< large, with both halves; a frame without a face is left out
  int strip = 12;                ///< small ones, spread evenly over the frames
  int64_t frames = 0;            ///< of the whole video
  int face_id = -1;              ///< the face to show; where it is not, the first
  measure::Sides sides;
};

struct Thumbnails {
  std::vector<std::optional<Thumbnail>> moments;  ///< one for each that was asked for
  std::vector<Thumbnail> strip;
};

/// Decodes `input` (a video or a picture) once more, up to the last frame that is wanted. bad_input
/// when it cannot be read any more.
Result<Thumbnails> take_thumbnails(const std::string& input, const RecordSource& records,
                                   const ThumbnailPlan& plan);

/// RFC 4648, with padding.
std::string base64(std::span<const std::byte> bytes);

}  // namespace vultus::report
