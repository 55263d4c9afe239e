#include <cmath>
#include <opencv2/core.hpp>

#include "models/measure/quantities.hpp"

namespace vultus::measure {

std::optional<LevelFace> LevelFace::of(const Landmarks& landmarks) {
  if (landmarks.points.size() != face::point_count(landmarks.scheme)) return std::nullopt;
  // In the picture's order, so that up stays up where the input is mirrored.
  const HalfFace& one = Sides{}.half(landmarks.scheme, Side::right);
  const HalfFace& other = Sides{}.half(landmarks.scheme, Side::left);
  auto at = [&](int i) { return landmarks[static_cast<size_t>(i)]; };
  const Point first = (at(one.outer_canthus) + at(one.inner_canthus)) / 2;
  const Point second = (at(other.outer_canthus) + at(other.inner_canthus)) / 2;
  LevelFace level;
  level.landmarks_ = &landmarks;
  level.origin_ = (at(one.inner_canthus) + at(other.inner_canthus)) / 2;
  level.eyes_ = cv::norm(second - first);
  level.canthi_ = cv::norm(at(one.inner_canthus) - at(other.inner_canthus));
  if (!(level.eyes_ >= 1) || !(level.canthi_ >= 1) || !std::isfinite(level.eyes_ + level.canthi_))
    return std::nullopt;
  level.along_ = (second - first) / level.eyes_;
  return level;
}

Point LevelFace::operator()(const Point& p) const {
  const Point d = p - origin_;
  return {d.x * along_.x + d.y * along_.y, d.y * along_.x - d.x * along_.y};
}

Point LevelFace::operator()(int landmark) const {
  return (*this)((*landmarks_)[static_cast<size_t>(landmark)]);
}

std::vector<Point> shape_of(const Landmarks& landmarks, const LevelFace& level) {
  std::vector<Point> shape;
  shape.reserve(landmarks.points.size());
  for (const Point& p : landmarks.points)
    shape.push_back(level(p) / level.eyes_px());
  return shape;
}

}  // namespace vultus::measure
