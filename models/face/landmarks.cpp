#include "models/face/landmarks.hpp"

#include <algorithm>
#include <opencv2/core.hpp>
#include <span>

namespace vultus::face {

namespace {

Point mean_of(std::span<const Point> points) {
  Point sum;
  for (const Point& p : points)
    sum += p;
  return points.empty() ? sum : sum / static_cast<double>(points.size());
}

}  // namespace

std::string_view name_of(LandmarkScheme scheme) {
  return scheme == LandmarkScheme::wflw98 ? "wflw98" : "ibug68";
}

size_t point_count(LandmarkScheme scheme) {
  return scheme == LandmarkScheme::wflw98 ? 98 : 68;
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
  return mean_of(landmarks.points);
}

double eye_distance(const Landmarks& landmarks) {
  if (landmarks.empty()) return 0;
  bool wflw = landmarks.scheme == LandmarkScheme::wflw98;
  std::span<const Point> points = landmarks.points;
  Point a = mean_of(wflw ? points.subspan(60, 8) : points.subspan(36, 6));
  Point b = mean_of(wflw ? points.subspan(68, 8) : points.subspan(42, 6));
  return cv::norm(a - b);
}

}  // namespace vultus::face
