#pragma once

#include <vector>

#include "models/face/detection.hpp"

namespace vultus::face {

/// Overlap of two boxes. `plus_one` counts pixels, (x2 - x1 + 1), as RetinaFace's reference code
/// does.
double iou(const Box& a, const Box& b, bool plus_one = false);

/// Sorts by descending score (equal scores keep their order) and drops every box that overlaps a
/// better one by more than `threshold`.
std::vector<Detection> suppress(std::vector<Detection> detections, double threshold, bool plus_one);

}  // namespace vultus::face
