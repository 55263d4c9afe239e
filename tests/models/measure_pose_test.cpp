#include <gtest/gtest.h>

#include <numbers>
#include <opencv2/core.hpp>

#include "models/measure/pose.hpp"
#include "tests/models/clip_records.hpp"
#include "tests/models/synthetic_face.hpp"

namespace vultus::measure {
namespace {

constexpr double kDegree = std::numbers::pi / 180;
const cv::Size kPicture{1280, 720};

cv::Matx33d rotation(double pitch, double yaw, double roll) {
  const double cx = std::cos(pitch), sx = std::sin(pitch), cy = std::cos(yaw), sy = std::sin(yaw),
               cz = std::cos(roll), sz = std::sin(roll);
  return cv::Matx33d(1, 0, 0, 0, cx, -sx, 0, sx, cx) * cv::Matx33d(cy, 0, sy, 0, 1, 0, -sy, 0, cy) *
         cv::Matx33d(cz, -sz, 0, sz, cz, 0, 0, 0, 1);
}

/// Takes the camera's axis into the direction of a position by the shortest way.
cv::Matx33d towards(const cv::Vec3d& position) {
  const cv::Vec3d d = position / cv::norm(position);
  const cv::Matx33d v(0, 0, d[0], 0, 0, d[1], -d[0], -d[1], 0);  // of the cross product z x d
  return cv::Matx33d::eye() + v + v * v * (1 / (1 + d[2]));
}

/// The model's points, turned against the line of sight, as the assumed camera sees them; the
/// others stay where they are.
Landmarks seen(LandmarkScheme scheme, const cv::Matx33d& turn, const cv::Vec3d& at,
               double scale = 1) {
  const Camera camera = Camera::assumed(kPicture);
  Landmarks landmarks{scheme, std::vector<Point>(face::point_count(scheme), camera.centre)};
  for (const ModelPoint& point : head_model(scheme)) {
    const cv::Vec3d p =
        towards(at) * turn * (scale * cv::Vec3d(point.mm.x, point.mm.y, point.mm.z)) + at;
    landmarks.points[static_cast<size_t>(point.landmark)] =
        camera.centre + camera.focal_px / p[2] * Point(p[0], p[1]);
  }
  return landmarks;
}

TEST(HeadPose, KnownPosesAreRecovered) {
  const Camera camera = Camera::assumed(kPicture);
  for (LandmarkScheme scheme : {LandmarkScheme::wflw98, LandmarkScheme::ibug68})
    for (int pitch : {-30, 0, 25})
      for (int yaw : {-40, -5, 0, 35})
        for (int roll : {-60, 0, 10}) {
          SCOPED_TRACE(testing::Message() << pitch << " " << yaw << " " << roll);
          const auto points = seen(scheme, rotation(pitch * kDegree, yaw * kDegree, roll * kDegree),
                                   {40, -30, 600});
          const auto pose = head_pose(points, camera, 63);
          ASSERT_TRUE(pose);
          EXPECT_NEAR(pose->pitch, pitch * kDegree, 1e-4);
          EXPECT_NEAR(pose->yaw, yaw * kDegree, 1e-4);
          EXPECT_NEAR(pose->roll, roll * kDegree, 1e-4);
          EXPECT_NEAR(pose->x_mm, 40, 0.01);
          EXPECT_NEAR(pose->y_mm, -30, 0.01);
          EXPECT_NEAR(pose->z_mm, 600, 0.1);
          EXPECT_LT(pose->residual_px, 1e-3);
        }
}

TEST(HeadPose, AgainstTheCamerasAxesNothingIsTakenAwayForThePlaceInThePicture) {
  const Camera camera = Camera::assumed(kPicture);
  for (const cv::Vec3d& at : {cv::Vec3d(0, 0, 600), cv::Vec3d(220, -150, 600), {-200, 90, 500}}) {
    const cv::Matx33d turn = rotation(0.2, -0.3, 0.4);
    const auto pose = head_pose(seen(LandmarkScheme::wflw98, turn, at), camera, 63);
    ASSERT_TRUE(pose);
    const Angles angles = pose->in_camera_axes();
    EXPECT_LT(cv::norm(rotation(angles.pitch, angles.yaw, angles.roll) - towards(at) * turn), 1e-3);
  }
  // It looks into the camera from the right of the picture: to the left, that is.
  const Angles aside = HeadPose{300, 0, 600, 0, 0, 0, 0}.in_camera_axes();
  EXPECT_NEAR(aside.yaw, std::atan2(300, 600), 1e-9);
  EXPECT_NEAR(aside.pitch, 0, 1e-9);
  EXPECT_NEAR(aside.roll, 0, 1e-9);
}

TEST(HeadPose, TheAnglesHaveTheDocumentedSigns) {
  auto tip = [](double pitch, double yaw, double roll, Point away) {
    const auto points = seen(LandmarkScheme::wflw98, rotation(pitch, yaw, roll), {0, 0, 600});
    return (points[54] - points[64] - (points[68] - points[64]) / 2).dot(away);
  };
  const double ahead_y = tip(0, 0, 0, {0, 1});
  EXPECT_GT(tip(0.2, 0, 0, {0, 1}), ahead_y) << "pitch > 0 looks down";
  EXPECT_LT(tip(0, 0.2, 0, {1, 0}), 0) << "yaw > 0 looks to the left of the picture";
  const auto rolled = seen(LandmarkScheme::wflw98, rotation(0, 0, 0.2), {0, 0, 600});
  EXPECT_GT(rolled[72].y, rolled[60].y) << "roll > 0 turns clockwise";
}

TEST(HeadPose, AnotherPupilDistanceScalesTheDistanceAlone) {
  const Camera camera = Camera::assumed(kPicture);
  const auto points = seen(LandmarkScheme::wflw98, rotation(0.1, 0.2, 0.3), {40, -30, 600});
  const auto usual = head_pose(points, camera, 63), wide = head_pose(points, camera, 70);
  ASSERT_TRUE(usual && wide);
  EXPECT_NEAR(wide->z_mm, usual->z_mm * 70 / 63, 0.1);
  EXPECT_NEAR(wide->x_mm, usual->x_mm * 70 / 63, 0.01);
  EXPECT_NEAR(wide->yaw, usual->yaw, 1e-4);
}

TEST(HeadPose, APalsyOfBrowMouthAndLidsDoesNotTurnTheHead) {
  const Camera camera = Camera::assumed(kPicture);
  SyntheticFace palsy;
  palsy.corner_right = {-4, 9};
  palsy.brow_right = -6;
  palsy.gap_right = 2;
  const auto before = head_pose(place({}), camera, 63), after = head_pose(place(palsy), camera, 63);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->yaw, after->yaw);
  EXPECT_EQ(before->pitch, after->pitch);
  EXPECT_EQ(before->roll, after->roll);
}

TEST(HeadPose, PointsThatAreNoHeadGiveNothing) {
  const Camera camera = Camera::assumed(kPicture);
  EXPECT_FALSE(head_pose({}, camera, 63));
  Landmarks broken = place({});
  broken.points[54].x = std::nan("");
  EXPECT_FALSE(head_pose(broken, camera, 63));
  // One place for all: whatever is answered, it is finite.
  const Landmarks heap{LandmarkScheme::wflw98, std::vector<Point>(98, {100, 100})};
  if (const auto pose = head_pose(heap, camera, 63)) {
    EXPECT_TRUE(std::isfinite(pose->z_mm + pose->yaw + pose->pitch + pose->roll));
  }
}

TEST(HeadPoseOfClips, RollFollowsAKnownCameraAndTheOtherAnglesStay) {
  VULTUS_NEED_SHARED(motion_path, "media/camera_motion_astronaut.json");
  const nlohmann::json motion = nlohmann::json::parse(std::ifstream(motion_path))["per_frame"];
  const auto& records = test::clip_records("camera_motion_astronaut_1080p.mp4");
  VULTUS_NEED_CLIP(records);
  ASSERT_EQ(records.size(), 180u);
  const Camera camera = Camera::assumed({1920, 1080});
  std::vector<double> rolls, yaws, pitches;
  for (size_t i = 0; i < records.size(); ++i) {
    ASSERT_EQ(records[i].faces.size(), 1u);
    const auto pose = head_pose(records[i].faces[0].face.landmarks, camera, 63);
    ASSERT_TRUE(pose);
    const nlohmann::json& m = motion[i]["matrix"];
    rolls.push_back(pose->roll - std::atan2(m[1][0].get<double>(), m[0][0].get<double>()));
    yaws.push_back(pose->yaw);
    pitches.push_back(pose->pitch);
  }
  auto range = [](const std::vector<double>& values) {
    return *std::max_element(values.begin(), values.end()) -
           *std::min_element(values.begin(), values.end());
  };
  RecordProperty("ranges_degrees", fmt::format("{:.1f} {:.1f} {:.1f}", range(rolls) / kDegree,
                                               range(yaws) / kDegree, range(pitches) / kDegree));
  // 40 degrees of rotation and a zoom of two; what is left is the landmark network's.
  EXPECT_LT(range(rolls), 4 * kDegree);
  EXPECT_LT(range(yaws), 7 * kDegree);
  EXPECT_LT(range(pitches), 8 * kDegree);
}

TEST(HeadPoseOfClips, TiltingHeadsTiltWithoutJumps) {
  const auto& records = test::clip_records("intel_head_pose_two_faces.mp4");
  VULTUS_NEED_CLIP(records);
  const Camera camera = Camera::assumed({480, 270});
  std::array<std::vector<HeadPose>, 2> heads;  // on the picture's left, on its right
  for (const FrameRecord& record : records)
    for (const FaceRecord& face : record.faces) {
      const auto pose = head_pose(face.face.landmarks, camera, 63);
      ASSERT_TRUE(pose);
      EXPECT_GT(pose->z_mm, 600);
      EXPECT_LT(pose->z_mm, 1300);
      heads.at(face.face.box.centre().x < 240 ? 0 : 1).push_back(*pose);
    }
  for (const auto& track : heads) {
    ASSERT_EQ(track.size(), records.size());
    for (size_t i = 1; i < track.size(); ++i) {  // 12 pictures a second
      EXPECT_LT(std::abs(track[i].yaw - track[i - 1].yaw), 10 * kDegree) << i;
      EXPECT_LT(std::abs(track[i].pitch - track[i - 1].pitch), 12 * kDegree) << i;
      EXPECT_LT(std::abs(track[i].roll - track[i - 1].roll), 15 * kDegree) << i;
    }
    // Both begin nearly upright and let their heads sink to the left of the picture.
    EXPECT_GT(track.front().roll, -25 * kDegree);
    EXPECT_LT(track.back().roll, -35 * kDegree);
  }
  EXPECT_GT(heads[0].front().yaw, 25 * kDegree) << "she looks to the left of the picture";
  EXPECT_LT(heads[1].front().yaw, -10 * kDegree) << "he looks to its right";
}

}  // namespace
}  // namespace vultus::measure
