#include "models/measure/pose.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/calib3d.hpp>
#include <opencv2/core.hpp>
#include <vector>

namespace vultus::measure {

namespace {

constexpr double kFocalShare = 0.8;
// Between the middles of the model's eyes, which are its pupils when it looks ahead.
constexpr double kModelPupilDistance = 63;

bool finite(const Point& p) {
  return std::isfinite(p.x) && std::isfinite(p.y);
}

/// Angles of R = Rx(pitch) Ry(yaw) Rz(roll).
void set_angles(const cv::Matx33d& r, HeadPose& pose) {
  pose.yaw = std::asin(std::clamp(r(0, 2), -1.0, 1.0));
  pose.pitch = std::atan2(-r(1, 2), r(2, 2));
  pose.roll = std::atan2(-r(0, 1), r(0, 0));
}

/// Turns the line of sight to a position into the camera's own axis, by the shortest way.
cv::Matx33d straighten(const cv::Vec3d& position) {
  const cv::Vec3d sight = position / cv::norm(position), ahead(0, 0, 1);
  const cv::Vec3d axis = sight.cross(ahead);
  const double sine = cv::norm(axis);
  cv::Matx33d turn = cv::Matx33d::eye();
  if (sine > 1e-12) cv::Rodrigues(axis * (std::atan2(sine, sight[2]) / sine), turn);
  return turn;
}

double residual(const std::vector<cv::Point2d>& seen, const std::vector<cv::Point2d>& projected) {
  double sum = 0;
  for (size_t i = 0; i < seen.size(); ++i)
    sum += (seen[i] - projected[i]).dot(seen[i] - projected[i]);
  return std::sqrt(sum / static_cast<double>(seen.size()));
}

}  // namespace

Camera Camera::assumed(cv::Size picture) {
  return {kFocalShare * std::max(picture.width, picture.height),
          {(picture.width - 1) / 2.0, (picture.height - 1) / 2.0}};
}

std::array<ModelPoint, 9> head_model(LandmarkScheme scheme) {
  const HalfFace& one = Sides{}.half(scheme, Side::right);
  const HalfFace& other = Sides{}.half(scheme, Side::left);
  const MiddleFace& middle = middle_of(scheme);
  // Rounded means of young adults, women and men: en-en, ex-ex, n-sn, n-prn and sn-prn of Farkas
  // 1994, "Anthropometry of the Head and Face"; corners of the eyes where annotators put them.
  return {{{one.outer_canthus, {-45.5, -1, 9}},
           {one.inner_canthus, {-17.5, 0, 0}},
           {other.inner_canthus, {17.5, 0, 0}},
           {other.outer_canthus, {45.5, -1, 9}},
           {middle.nasion, {0, -2, -11}},
           {middle.upper_bridge, {0, 10, -17}},
           {middle.lower_bridge, {0, 22, -24}},
           {middle.nose_tip, {0, 34, -31}},
           {middle.subnasale, {0, 44, -15}}}};
}

std::optional<HeadPose> head_pose(const Landmarks& landmarks, const Camera& camera,
                                  double pupil_distance_mm) {
  if (landmarks.points.size() != face::point_count(landmarks.scheme)) return std::nullopt;
  const double scale = pupil_distance_mm / kModelPupilDistance;
  std::vector<cv::Point3d> model;
  std::vector<cv::Point2d> seen, projected;
  for (const ModelPoint& point : head_model(landmarks.scheme)) {
    const Point& p = landmarks[static_cast<size_t>(point.landmark)];
    if (!finite(p)) return std::nullopt;
    model.push_back(scale * point.mm);
    seen.push_back(p);
  }
  const cv::Matx33d intrinsics(camera.focal_px, 0, camera.centre.x, 0, camera.focal_px,
                               camera.centre.y, 0, 0, 1);
  cv::Vec3d turn, shift;
  try {
    if (!cv::solvePnP(model, seen, intrinsics, cv::noArray(), turn, shift, false,
                      cv::SOLVEPNP_SQPNP))
      return std::nullopt;
    cv::solvePnPRefineLM(model, seen, intrinsics, cv::noArray(), turn, shift);
    cv::projectPoints(model, turn, shift, intrinsics, cv::noArray(), projected);
  } catch (const cv::Exception&) {  // points on one line or in one place
    return std::nullopt;
  }
  HeadPose pose{shift[0], shift[1], shift[2], 0, 0, 0, residual(seen, projected)};
  if (!(pose.z_mm > 0)) return std::nullopt;
  cv::Matx33d rotation;
  cv::Rodrigues(turn, rotation);
  set_angles(straighten(shift) * rotation, pose);
  const double all = pose.x_mm + pose.y_mm + pose.z_mm + pose.pitch + pose.yaw + pose.roll;
  if (!std::isfinite(all + pose.residual_px)) return std::nullopt;
  return pose;
}

}  // namespace vultus::measure
