#include <gtest/gtest.h>

#include "models/measure/quality.hpp"
#include "tests/models/synthetic_face.hpp"

namespace vultus::measure {
namespace {

const cv::Size kPicture{kSyntheticWidth, kSyntheticHeight};

std::string quality(const FaceRecord& record, const std::optional<HeadPose>& pose = HeadPose{},
                    size_t faces = 1) {
  return quality_of(record, pose, kPicture, faces).text();
}

TEST(Quality, AFrontalFaceHasNoFlags) {
  const FaceRecord record = record_of(place({}));
  const auto pose = head_pose(record.face.landmarks, Camera::assumed(kPicture), 63);
  ASSERT_TRUE(pose);
  EXPECT_EQ(quality(record, pose), "");
}

TEST(Quality, EachFlagStandsBeyondItsLimitAndNotBefore) {
  HeadPose pose;
  for (auto [angle, limit, name] : {std::tuple{&HeadPose::yaw, kYawLimit, "yaw"},
                                    std::tuple{&HeadPose::pitch, kPitchLimit, "pitch"},
                                    std::tuple{&HeadPose::roll, kRollLimit, "roll"}})
    for (int sign : {-1, 1}) {
      pose = {};
      pose.*angle = sign * (limit - 0.001);
      EXPECT_EQ(quality(record_of(place({})), pose), "");
      pose.*angle = sign * (limit + 0.001);
      EXPECT_EQ(quality(record_of(place({})), pose), name);
    }
  const double small = kSmallFacePx / 63;
  EXPECT_EQ(quality(record_of(place({}, {1.02 * small}))), "");
  EXPECT_EQ(quality(record_of(place({}, {0.98 * small}))), "small_face");
  FaceRecord unsure = record_of(place({}));
  unsure.face.score = kLowScore;
  EXPECT_EQ(quality(unsure), "");
  unsure.face.score = kLowScore - 0.01;
  EXPECT_EQ(quality(unsure), "low_score");
  EXPECT_EQ(quality(record_of(place({})), HeadPose{}, 2), "two_faces");
  FaceRecord blurred = record_of(place({}));
  blurred.blur = kBlurLimit;
  EXPECT_EQ(quality(blurred), "");
  blurred.blur = kBlurLimit + 0.01;
  EXPECT_EQ(quality(blurred), "blur");
}

TEST(Quality, AFaceThatReachesOverTheBorderIsPartial) {
  const SyntheticFace face;
  const double chin = face::extent(place(face)).y2 - 300;
  EXPECT_EQ(quality(record_of(place(face, {2, 0, {640, kSyntheticHeight - 1.5 - chin}}))), "");
  EXPECT_EQ(quality(record_of(place(face, {2, 0, {640, kSyntheticHeight - 0.5 - chin}}))),
            "partial");
  EXPECT_EQ(quality(record_of(place(face, {2, 0, {100, 300}}))), "partial");
}

TEST(Quality, FlagsAreJoinedByABar) {
  EXPECT_EQ((Flags{Flag::low_score, Flag::yaw}).text(), "yaw|low_score");
  EXPECT_EQ(Flags().text(), "");
  EXPECT_TRUE((Flags{Flag::yaw} & kVoidsGeometry).any());
  EXPECT_FALSE((Flags{Flag::two_faces} & kVoidsGeometry).any());
}

TEST(Quality, WithoutAPoseNothingIsSaidOfIt) {
  EXPECT_EQ(quality(record_of(place({})), std::nullopt), "");
}

}  // namespace
}  // namespace vultus::measure
