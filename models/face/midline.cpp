#include "models/face/midline.hpp"

#include <cmath>

namespace vultus::face {

std::optional<Midline> midline_of(const Landmarks& landmarks) {
  if (landmarks.points.size() != point_count(landmarks.scheme)) return std::nullopt;
  const auto& [one, other, chin] = key_points(landmarks.scheme).middle;
  const Point& one_brow = landmarks[one];
  const Point& other_brow = landmarks[other];
  Midline midline{.glabella = {(one_brow.x + other_brow.x) / 2, (one_brow.y + other_brow.y) / 2},
                  .chin = landmarks[chin]};
  double length =
      std::hypot(midline.chin.x - midline.glabella.x, midline.chin.y - midline.glabella.y);
  if (!(length >= 1) || !std::isfinite(length)) return std::nullopt;
  return midline;
}

std::optional<Midline> MidlineSmoother::push(const std::optional<Midline>& midline) {
  if (!midline) {
    reset();
    return std::nullopt;
  }
  history_.push_back(*midline);
  if (static_cast<int>(history_.size()) > frames_) history_.pop_front();
  Midline mean;
  for (const Midline& m : history_) {
    mean.glabella.x += m.glabella.x;
    mean.glabella.y += m.glabella.y;
    mean.chin.x += m.chin.x;
    mean.chin.y += m.chin.y;
  }
  double n = static_cast<double>(history_.size());
  mean.glabella = {mean.glabella.x / n, mean.glabella.y / n};
  mean.chin = {mean.chin.x / n, mean.chin.y / n};
  return mean;
}

}  // namespace vultus::face
