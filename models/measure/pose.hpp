#pragma once

#include <opencv2/core/types.hpp>
#include <optional>
#include <span>

#include "models/measure/anatomy.hpp"

namespace vultus::measure {

/// A pinhole camera without distortion that looks through the middle of the picture. The focal
/// length is assumed, 0.8 of the picture's longer side: a phone's main camera when it films. Angles
/// hardly depend on it; Tz is proportional to it.
struct Camera {
  double focal_px = 0;
  Point centre;
  static Camera assumed(cv::Size picture);
};

/// Of a rotation Rx(pitch) Ry(yaw) Rz(roll), the order of OpenFace 2, in radians: pitch > 0 looks
/// down, yaw > 0 to the left of the picture, roll > 0 turns the head clockwise in the picture.
struct Angles {
  double pitch = 0, yaw = 0, roll = 0;
};

/// Where the head is, in the camera's axes: x to the right of the picture, y down, z away from the
/// camera; and how it is turned against the line from the camera to it, all angles zero when the
/// face looks into the camera, wherever in the picture it is. It describes the picture as it is,
/// also where the input is mirrored.
struct HeadPose {
  double x_mm = 0, y_mm = 0, z_mm = 0;  ///< middle between the inner corners of the eyes
  double pitch = 0, yaw = 0, roll = 0;  ///< radians
  double residual_px = 0;  ///< root mean square distance of the points from the turned model's

  /// How it is turned against the camera's axes: what OpenFace 2's FeatureExtraction writes.
  Angles in_camera_axes() const;
};

/// The rigid points of a generic adult face in millimetres, as the camera sees it with every angle
/// zero, origin between the inner corners of the eyes: corners of the eyes, ridge of the nose and
/// its base. No chin and no mouth, which a palsy moves.
struct ModelPoint {
  int landmark;
  cv::Point3d mm;
};
std::array<ModelPoint, 9> head_model(LandmarkScheme scheme);

/// Rotation and position of the model whose projection has the least squares to the points (PnP).
/// The model is scaled to the distance between the pupils. Nothing without points, or where the
/// geometry has no solution in front of the camera.
std::optional<HeadPose> head_pose(const Landmarks& landmarks, const Camera& camera,
                                  double pupil_distance_mm);

}  // namespace vultus::measure
