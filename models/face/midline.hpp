#pragma once

#include <deque>
#include <optional>

#include "models/face/landmarks.hpp"

namespace vultus::face {

/// The line from the point between the brows to the chin, in pixels of the frame.
struct Midline {
  Point glabella;
  Point chin;
};

/// From 98 WFLW points (inner brow ends 38 and 50, chin 16) or 68 iBUG points (21, 22, 8). Nothing
/// when there are no points, when one that matters is not finite, or when the two ends lie less
/// than a pixel apart.
std::optional<Midline> midline_of(const Landmarks& landmarks);

/// Mean of the last midlines. One push per frame, in order; never more, or a frame counts twice.
class MidlineSmoother {
 public:
  explicit MidlineSmoother(int frames = 5) : frames_(frames) {}
  /// The smoothed midline with this frame's included. Nothing in, nothing out: a lost face forgets
  /// what was before it.
  std::optional<Midline> push(const std::optional<Midline>& midline);
  /// Forgets; call at a scene cut.
  void reset() { history_.clear(); }

 private:
  int frames_;
  std::deque<Midline> history_;
};

}  // namespace vultus::face
