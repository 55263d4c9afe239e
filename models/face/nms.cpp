#include "models/face/nms.hpp"

#include <algorithm>

#include "host/ops/faces.hpp"

namespace vultus::face {

double iou(const Box& a, const Box& b, bool plus_one) {
  return overlap_of({a.x1, a.y1, a.x2, a.y2}, {b.x1, b.y1, b.x2, b.y2}, plus_one ? 1 : 0);
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
