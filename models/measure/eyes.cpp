#include "models/measure/eyes.hpp"

#include <algorithm>
#include <opencv2/core.hpp>

namespace vultus::measure {

std::optional<double> eye_aspect_ratio(const Landmarks& landmarks, const HalfFace& half) {
  if (!half.detail || landmarks.points.size() != face::point_count(landmarks.scheme))
    return std::nullopt;
  auto distance = [&](int a, int b) {
    return cv::norm(landmarks[static_cast<size_t>(a)] - landmarks[static_cast<size_t>(b)]);
  };
  const double width = distance(half.outer_canthus, half.inner_canthus);
  double gaps = 0;
  for (size_t i = 0; i < 3; ++i)
    gaps += distance(half.detail->upper_lid[i], half.detail->lower_lid[i]);
  if (!(width >= 1) || !std::isfinite(gaps)) return std::nullopt;
  return gaps / (3 * width);
}

double eye_closure(double ear, double open) {
  const double shut = kShutShare * open;
  return 1 - (std::clamp(ear, shut, open) - shut) / (open - shut);
}

}  // namespace vultus::measure
