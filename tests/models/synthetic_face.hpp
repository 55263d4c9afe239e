#pragma once

// A symmetric face of 98 points in millimetres that tests move, turn and make asymmetric by known
// amounts, and records of it.
#include <cmath>
#include <functional>
#include <map>
#include <vector>

#include "host/ops/smooth_points.hpp"
#include "models/face/smoothing.hpp"
#include "models/measure/measured.hpp"

namespace vultus::measure {

/// Millimetres in the level frame: origin between the inner corners of the eyes, y down, the
/// subject's right at negative x, middles of the eyes 63 apart.
struct SyntheticFace {
  double gap_right = 10, gap_left = 10;  ///< between the lids
  double brow_right = 0, brow_left = 0;  ///< raised by
  Point corner_right, corner_left;       ///< commissures moved by; x > 0 is outward
  double lips_apart = 1;                 ///< inner lips

  std::vector<Point> points_mm() const;
};

/// Partners of mirror images (specification, 2.8).
inline int mirror_partner(int i) {
  static const std::map<int, int> pairs = [] {
    std::map<int, int> both;
    const std::vector<std::pair<int, int>> given{
        {33, 46}, {34, 45}, {35, 44}, {36, 43}, {37, 42}, {38, 50}, {39, 49},
        {40, 48}, {41, 47}, {60, 72}, {61, 71}, {62, 70}, {63, 69}, {64, 68},
        {65, 75}, {66, 74}, {67, 73}, {55, 59}, {56, 58}, {76, 82}, {77, 81},
        {78, 80}, {87, 83}, {86, 84}, {88, 92}, {89, 91}, {95, 93}, {96, 97}};
    for (auto [a, b] : given) {
      both[a] = b;
      both[b] = a;
    }
    for (int i = 0; i <= 32; ++i)
      both[i] = 32 - i;
    return both;
  }();
  const auto it = pairs.find(i);
  return it == pairs.end() ? i : it->second;
}

inline std::vector<Point> SyntheticFace::points_mm() const {
  std::vector<Point> p(98);
  auto both = [&](int right, Point at) {
    p[static_cast<size_t>(right)] = at;
    p[static_cast<size_t>(mirror_partner(right))] = {-at.x, at.y};
  };
  for (int i = 0; i <= 16; ++i) {
    const double angle = 3.14159265358979 * i / 32;
    both(i, {-68 * std::cos(angle), 10 + 105 * std::sin(angle)});
  }
  for (int i = 0; i < 6; ++i)
    both(33 + i, {-56 + 9.0 * i, -24.0 - (i < 3 ? i : 5 - i)});
  for (int i = 39; i <= 41; ++i)
    both(i, {-20 - 9.0 * (i - 39), -19});
  for (const ModelPoint& point : head_model(LandmarkScheme::wflw98))
    p[static_cast<size_t>(point.landmark)] = {point.mm.x, point.mm.y};
  both(55, {-14, 41});
  both(56, {-7, 44});
  for (int i = 0; i < 3; ++i) {
    both(61 + i, {-39.0 + 8 * i, -0.5});
    both(67 - i, {-39.0 + 8 * i, -0.5});
  }
  both(96, {-31, -0.5});
  both(76, {-25, 62});
  both(77, {-16, 58});
  both(78, {-6, 56});
  p[79] = {0, 57};
  both(87, {-16, 69});
  both(86, {-7, 73});
  p[85] = {0, 74};
  both(88, {-22, 62});
  both(89, {-10, 62 - lips_apart / 2});
  both(95, {-10, 62 + lips_apart / 2});
  p[90] = {0, 62 - lips_apart / 2};
  p[94] = {0, 62 + lips_apart / 2};
  for (int i = 0; i < 3; ++i) {
    p[static_cast<size_t>(61 + i)].y -= gap_right / 2;
    p[static_cast<size_t>(67 - i)].y += gap_right / 2;
    p[static_cast<size_t>(69 + i)].y -= gap_left / 2;
    p[static_cast<size_t>(75 - i)].y += gap_left / 2;
  }
  for (size_t i = 33; i <= 41; ++i)
    p[i].y -= brow_right;
  for (size_t i = 42; i <= 50; ++i)
    p[i].y -= brow_left;
  p[76] += Point(-corner_right.x, corner_right.y);
  p[82] += corner_left;
  return p;
}

/// Depth of the symmetric face's points in millimetres, away from the camera, by landmark: the head
/// model's where it has them, else those of an adult face.
inline std::vector<double> depths_mm() {
  std::vector<double> z(98);
  auto both = [&](std::initializer_list<int> right, double depth) {
    for (int i : right)
      z[static_cast<size_t>(i)] = z[static_cast<size_t>(mirror_partner(i))] = depth;
  };
  for (int i = 0; i <= 16; ++i)
    both({i}, 80 - 5.0 * i);
  for (int i = 0; i < 6; ++i)
    both({33 + i}, 6 - 16.0 * i / 5);
  both({39, 40, 41}, -6);
  for (const ModelPoint& point : head_model(LandmarkScheme::wflw98))
    z[static_cast<size_t>(point.landmark)] = point.mm.z;
  both({55, 56}, -12);
  both({61, 67}, 2);
  both({62, 63, 65, 66, 96}, -2);
  both({76, 88}, -6);
  both({77, 87, 89, 95}, -12);
  both({78, 86, 79, 85, 90, 94}, -16);
  return z;
}

/// How a face turned from the camera (radians, as HeadPose) is seen by Camera::assumed of the
/// synthetic picture, so many millimetres away in its middle.
inline Landmarks project(const SyntheticFace& face, double yaw, double pitch, double away_mm) {
  const Camera camera = Camera::assumed({1280, 720});
  const std::vector<Point> flat = face.points_mm();
  const std::vector<double> depth = depths_mm();
  Landmarks landmarks;
  for (size_t i = 0; i < flat.size(); ++i) {
    const double x = flat[i].x * std::cos(yaw) + depth[i] * std::sin(yaw);
    const double turned = -flat[i].x * std::sin(yaw) + depth[i] * std::cos(yaw);
    const double y = flat[i].y * std::cos(pitch) - turned * std::sin(pitch);
    const double z = flat[i].y * std::sin(pitch) + turned * std::cos(pitch) + away_mm;
    landmarks.points.push_back(Point(x, y) * (camera.focal_px / z) + camera.centre);
  }
  return landmarks;
}

/// How a face lies in the picture.
struct Placement {
  double px_per_mm = 2;
  double turn = 0;  ///< radians, clockwise in the picture
  Point at{640, 300};
};

inline Landmarks place(const SyntheticFace& face, const Placement& placement = {}) {
  const double c = placement.px_per_mm * std::cos(placement.turn);
  const double s = placement.px_per_mm * std::sin(placement.turn);
  const Similarity to_picture{c, s, placement.at.x, placement.at.y};
  Landmarks landmarks;
  for (const Point& p : face.points_mm())
    landmarks.points.push_back(to_picture(p));
  return landmarks;
}

inline constexpr int kSyntheticWidth = 1280, kSyntheticHeight = 720;
inline MeasureOptions synthetic_options() {
  return {{kSyntheticWidth, kSyntheticHeight}, {}, kUsualPupilDistance};
}

inline FaceRecord record_of(Landmarks landmarks, int id = 0) {
  FaceRecord record;
  record.face.id = id;
  record.face.score = 0.99;
  record.face.box = face::extent(landmarks);
  record.face.landmarks = std::move(landmarks);
  return record;
}

/// A video of one face: what it looks like at each time.
inline std::vector<FrameRecord> video_of(const std::vector<double>& seconds,
                                         const std::function<SyntheticFace(double)>& face,
                                         const Placement& placement = {}) {
  std::vector<FrameRecord> video;
  for (double at : seconds) {
    FrameRecord record;
    record.frame = static_cast<int64_t>(video.size()) + 1;
    record.seconds = at;
    record.faces.push_back(record_of(place(face(at), placement)));
    video.push_back(std::move(record));
  }
  return video;
}

inline std::vector<double> times(double from, double to, double per_second) {
  std::vector<double> at;
  for (int i = 0; from + i / per_second < to; ++i)
    at.push_back(from + i / per_second);
  return at;
}

inline RecordSource source_of(const std::vector<FrameRecord>& video) {
  return [&video](const RecordVisitor& visit) -> Result<void> {
    for (const FrameRecord& record : video)
      VULTUS_CHECK(visit(record));
    return {};
  };
}

}  // namespace vultus::measure
