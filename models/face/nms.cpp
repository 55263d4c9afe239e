#include "models/face/nms.hpp"

#include <algorithm>

namespace vultus::face {

double iou(const Box& a, const Box& b, bool plus_one) {
  const double extra = plus_one ? 1 : 0;
  double width = std::max(0.0, std::min(a.x2, b.x2) - std::max(a.x1, b.x1) + extra);
  double height = std::max(0.0, std::min(a.y2, b.y2) - std::max(a.y1, b.y1) + extra);
  double shared = width * height;
  double all = (a.width() + extra) * (a.height() + extra) +
               (b.width() + extra) * (b.height() + extra) - shared;
  return all > 0 ? shared / all : 0;
}

std::vector<Detection> suppress(std::vector<Detection> detections, double threshold,
                                bool plus_one) {
  std::stable_sort(detections.begin(), detections.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  std::vector<Detection> kept;
  for (const Detection& candidate : detections) {
    bool covered = std::any_of(kept.begin(), kept.end(), [&](const Detection& better) {
      return iou(better.box, candidate.box, plus_one) > threshold;
    });
    if (!covered) kept.push_back(candidate);
  }
  return kept;
}

}  // namespace vultus::face
