#pragma once

#include <deque>
#include <opencv2/core/types.hpp>
#include <optional>
#include <span>

namespace vultus::face {

/// The line from the point between the brows to the chin, in pixels of the frame.
struct Midline {
  cv::Point2f glabella;
  cv::Point2f chin;
};

/// From 98 WFLW points (inner brow ends 38 and 50, chin 16) or 68 iBUG points (21, 22, 8). Nothing
/// for another count, a point that is not finite, or two ends less than a pixel apart.
std::optional<Midline> midline_of(std::span<const cv::Point2f> landmarks);

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
