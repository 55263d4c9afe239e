#include "models/face/landmarks.hpp"

#include <algorithm>
#include <opencv2/core.hpp>
#include <span>

#include "host/ops/smooth_points.hpp"

namespace vultus::face {

std::string_view name_of(LandmarkScheme scheme) {
  return scheme == LandmarkScheme::wflw98 ? "wflw98" : "ibug68";
}

size_t point_count(LandmarkScheme scheme) {
  return scheme == LandmarkScheme::wflw98 ? 98 : 68;
}

const KeyPoints& key_points(LandmarkScheme scheme) {
  static constexpr KeyPoints kWflw{{60, 8, 68, 8}, {38, 50, 16}};
  static constexpr KeyPoints kIbug{{36, 6, 42, 6}, {21, 22, 8}};
  return scheme == LandmarkScheme::wflw98 ? kWflw : kIbug;
}

Box extent(const Landmarks& landmarks) {
  if (landmarks.empty()) return {};
  const Point& first = landmarks[0];
  Box box{first.x, first.y, first.x, first.y};
  for (const Point& p : landmarks.points) {
    box.x1 = std::min(box.x1, p.x);
    box.y1 = std::min(box.y1, p.y);
    box.x2 = std::max(box.x2, p.x);
    box.y2 = std::max(box.y2, p.y);
  }
  return box;
}

Point mean(const Landmarks& landmarks) {
  return mean_of<Point>(landmarks.points);
}

double eye_distance(const Landmarks& landmarks) {
  if (landmarks.empty()) return 0;
  const auto& eyes = key_points(landmarks.scheme).eyes;
  const std::span<const Point> points = landmarks.points;
  const Point a = mean_of(points.subspan(eyes[0], eyes[1]));
  const Point b = mean_of(points.subspan(eyes[2], eyes[3]));
  return cv::norm(a - b);
}

}  // namespace vultus::face
