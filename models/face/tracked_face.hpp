#pragma once

#include "models/face/landmarks.hpp"

namespace vultus::face {

/// A face in a frame. `id` names a track, never a person: it ends where the face is lost.
struct TrackedFace {
  int id = 0;
  double score = 0;  ///< of the detection in this frame
  Box box;
  Landmarks landmarks;
};

}  // namespace vultus::face
