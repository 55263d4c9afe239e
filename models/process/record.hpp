#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/face/expression.hpp"
#include "models/face/tracked_face.hpp"

namespace vultus {

/// One face in one frame, as measured.
struct FaceRecord {
  face::TrackedFace face;
  /// Of the face as it is, and of the faces made of the subject's left and right half. Nothing
  /// where the pack has no multitask network, or, for the halves, where the face has no midline.
  std::optional<face::Expression> whole, left, right;
  std::optional<double> blur = std::nullopt;  ///< `face::blur_of` its box
};

/// One decoded frame. All that is written of it (tables, videos, sheet, report) follows from its
/// record and its picture alone.
struct FrameRecord {
  int64_t frame = 0;              ///< counts decoded pictures from 1
  std::optional<double> seconds;  ///< as the container tells; nothing for a picture
  bool damaged = false;           ///< decoded with errors: not measured
  std::vector<FaceRecord> faces;  ///< oldest track first
  int64_t pts = 0;                ///< as `seconds`, in units of the container's time base
};

}  // namespace vultus
