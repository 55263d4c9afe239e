#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <opencv2/core/types.hpp>
#include <string_view>
#include <vector>

namespace vultus::face {

/// A position in a picture: pixel centres at integers, x to the right, y down.
using Point = cv::Point2d;

/// Corners in pixels, not rounded and not clipped to the picture.
struct Box {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;

  double width() const { return x2 - x1; }
  double height() const { return y2 - y1; }
  Point centre() const { return {(x1 + x2) / 2, (y1 + y2) / 2}; }
  bool operator==(const Box&) const = default;
};

/// Numbering of the points: WFLW with 98, or iBUG with 68.
enum class LandmarkScheme : uint8_t { wflw98, ibug68 };
std::string_view name_of(LandmarkScheme scheme);
size_t point_count(LandmarkScheme scheme);
/// Points that the scheme's measures go by.
struct KeyPoints {
  std::array<size_t, 4> eyes;    ///< first point and number of points, of either eye
  std::array<size_t, 3> middle;  ///< inner ends of the brows, chin
};
const KeyPoints& key_points(LandmarkScheme scheme);

/// The points of one face in frame pixels; empty when none was measured.
struct Landmarks {
  LandmarkScheme scheme = LandmarkScheme::wflw98;
  std::vector<Point> points;

  bool empty() const { return points.empty(); }
  const Point& operator[](size_t i) const { return points[i]; }
};

/// Smallest upright box that holds every point.
Box extent(const Landmarks& landmarks);
Point mean(const Landmarks& landmarks);
/// Distance between the middles of the eyes in pixels.
double eye_distance(const Landmarks& landmarks);

}  // namespace vultus::face
