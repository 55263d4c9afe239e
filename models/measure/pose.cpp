#include "models/measure/pose.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/core.hpp>

namespace vultus::measure {

namespace {

constexpr double kFocalShare = 0.8;
// Between the middles of the model's eyes, which are its pupils when it looks ahead.
constexpr double kModelPupilDistance = 63;

bool finite(const Point& p) {
  return std::isfinite(p.x) && std::isfinite(p.y);
}

Angles angles_of(const cv::Matx33d& r) {
  return {std::atan2(-r(1, 2), r(2, 2)), std::asin(std::clamp(r(0, 2), -1.0, 1.0)),
          std::atan2(-r(0, 1), r(0, 0))};
}

constexpr size_t kPoints = 9;
using Model = std::array<cv::Vec3d, kPoints>;
/// Places on the plane at distance 1 before the camera.
using Rays = std::array<cv::Vec2d, kPoints>;

struct Placed {
  cv::Matx33d rotation;
  cv::Vec3d position;
};

/// As if the head were far away (scaled orthography; DeMenthon and Davis 1995, "Model-Based Object
/// Pose in 25 Lines of Code", one step): where the refinement begins.
std::optional<Placed> from_afar(const Model& model, const Rays& rays) {
  cv::Matx44d normal = cv::Matx44d::zeros();
  cv::Matx<double, 4, 2> right = cv::Matx<double, 4, 2>::zeros();
  for (size_t i = 0; i < kPoints; ++i) {
    const cv::Vec4d m(model[i][0], model[i][1], model[i][2], 1);
    normal += m * m.t();
    right += m * rays[i].t();
  }
  const cv::Matx<double, 4, 2> solved = normal.solve(right, cv::DECOMP_CHOLESKY);
  const cv::Vec3d a(solved(0, 0), solved(1, 0), solved(2, 0));
  const cv::Vec3d b(solved(0, 1), solved(1, 1), solved(2, 1));
  const double scale = (cv::norm(a) + cv::norm(b)) / 2;
  const cv::Vec3d across = a / cv::norm(a);
  cv::Vec3d down = b - across * across.dot(b);
  down /= cv::norm(down);
  const cv::Vec3d away = across.cross(down);
  if (!std::isfinite(cv::norm(away)) || !(scale > 0)) return std::nullopt;
  return Placed{
      {across[0], across[1], across[2], down[0], down[1], down[2], away[0], away[1], away[2]},
      cv::Vec3d(solved(3, 0), solved(3, 1), 1) / scale};
}

cv::Matx33d rotation_by(const cv::Vec3d& turn) {
  const double angle = cv::norm(turn);
  const cv::Matx33d v(0, -turn[2], turn[1], turn[2], 0, -turn[0], -turn[1], turn[0], 0);
  if (angle < 1e-9) return cv::Matx33d::eye() + v;
  return cv::Matx33d::eye() + v * (std::sin(angle) / angle) +
         v * v * ((1 - std::cos(angle)) / (angle * angle));
}

cv::Matx33d rotation_of(const Angles& angles) {
  return rotation_by({angles.pitch, 0, 0}) * rotation_by({0, angles.yaw, 0}) *
         rotation_by({0, 0, angles.roll});
}

/// Turns the line of sight to a position into the camera's own axis, by the shortest way.
cv::Matx33d straighten(const cv::Vec3d& position) {
  const cv::Vec3d sight = position / cv::norm(position), ahead(0, 0, 1);
  const cv::Vec3d axis = sight.cross(ahead);
  const double sine = cv::norm(axis);
  return sine > 1e-12 ? rotation_by(axis * (std::atan2(sine, sight[2]) / sine))
                      : cv::Matx33d::eye();
}

/// Sum of squared distances; infinite where a point is not in front of the camera.
double error_of(const Placed& placed, const Model& model, const Rays& rays) {
  double sum = 0;
  for (size_t i = 0; i < kPoints; ++i) {
    const cv::Vec3d p = placed.rotation * model[i] + placed.position;
    if (!(p[2] > 0)) return std::numeric_limits<double>::infinity();
    const cv::Vec2d d = cv::Vec2d(p[0], p[1]) / p[2] - rays[i];
    sum += d.dot(d);
  }
  return sum;
}

/// The normal equations for a small turn of the model about its origin and a small shift of it.
void linearize(const Placed& placed, const Model& model, const Rays& rays,
               cv::Matx<double, 6, 6>& normal, cv::Vec<double, 6>& right) {
  normal = cv::Matx<double, 6, 6>::zeros();
  right = {};
  for (size_t i = 0; i < kPoints; ++i) {
    const cv::Vec3d m = placed.rotation * model[i], p = m + placed.position;
    const double x = p[0] / p[2], y = p[1] / p[2];
    const cv::Matx<double, 2, 3> shift(1 / p[2], 0, -x / p[2], 0, 1 / p[2], -y / p[2]);
    const cv::Matx33d turn(0, m[2], -m[1], -m[2], 0, m[0], m[1], -m[0], 0);
    const cv::Matx<double, 2, 3> turned = shift * turn;
    for (int row = 0; row < 2; ++row) {
      cv::Vec<double, 6> j;
      for (int k = 0; k < 3; ++k) {
        j[k] = turned(row, k);
        j[3 + k] = shift(row, k);
      }
      normal += j * j.t();
      right += j * (rays[i][row] - (row == 0 ? x : y));
    }
  }
}

/// Levenberg and Marquardt: the least squares of the projected points.
void refine(const Model& model, const Rays& rays, Placed& placed) {
  double error = error_of(placed, model, rays), damping = 1e-3;
  for (int step = 0; step < 50 && damping < 1e9; ++step) {
    cv::Matx<double, 6, 6> normal;
    cv::Vec<double, 6> right;
    linearize(placed, model, rays, normal, right);
    for (int k = 0; k < 6; ++k)
      normal(k, k) *= 1 + damping;
    const cv::Vec<double, 6> change = normal.solve(right, cv::DECOMP_CHOLESKY);
    const Placed next{rotation_by({change[0], change[1], change[2]}) * placed.rotation,
                      placed.position + cv::Vec3d(change[3], change[4], change[5])};
    const double next_error = error_of(next, model, rays);
    if (!(next_error < error)) {
      damping *= 10;
      continue;
    }
    const bool done = error - next_error < 1e-12 * error;
    placed = next;
    error = next_error;
    damping /= 10;
    if (done) return;
  }
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

Angles HeadPose::in_camera_axes() const {
  return angles_of(straighten({x_mm, y_mm, z_mm}).t() * rotation_of({pitch, yaw, roll}));
}

std::optional<HeadPose> head_pose(const Landmarks& landmarks, const Camera& camera,
                                  double pupil_distance_mm) {
  if (landmarks.points.size() != face::point_count(landmarks.scheme)) return std::nullopt;
  Model model;
  Rays rays;
  size_t count = 0;
  for (const ModelPoint& point : head_model(landmarks.scheme)) {
    const Point ray =
        (landmarks[static_cast<size_t>(point.landmark)] - camera.centre) / camera.focal_px;
    if (!finite(ray)) return std::nullopt;
    model[count] =
        cv::Vec3d(point.mm.x, point.mm.y, point.mm.z) * (pupil_distance_mm / kModelPupilDistance);
    rays[count++] = {ray.x, ray.y};
  }
  std::optional<Placed> placed = from_afar(model, rays);
  if (!placed) return std::nullopt;
  refine(model, rays, *placed);
  const cv::Vec3d& at = placed->position;
  const double error = error_of(*placed, model, rays);
  if (!std::isfinite(error) || !std::isfinite(cv::norm(at)) || !(at[2] > 0)) return std::nullopt;
  const Angles turn = angles_of(straighten(at) * placed->rotation);
  return HeadPose{at[0],
                  at[1],
                  at[2],
                  turn.pitch,
                  turn.yaw,
                  turn.roll,
                  camera.focal_px * std::sqrt(error / kPoints)};
}

}  // namespace vultus::measure
