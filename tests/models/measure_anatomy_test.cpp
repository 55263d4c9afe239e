#include <gtest/gtest.h>

#include <algorithm>

#include "models/measure/anatomy.hpp"
#include "tests/models/synthetic_face.hpp"

namespace vultus::measure {
namespace {

constexpr auto kWflw = LandmarkScheme::wflw98;
constexpr auto kIbug = LandmarkScheme::ibug68;

TEST(Anatomy, TheLeftHalfIsTheMirrorImageOfTheRight) {
  const HalfFace& right = Sides{}.half(kWflw, Side::right);
  const HalfFace& left = Sides{}.half(kWflw, Side::left);
  EXPECT_EQ(left.outer_canthus, mirror_partner(right.outer_canthus));
  EXPECT_EQ(left.inner_canthus, mirror_partner(right.inner_canthus));
  EXPECT_EQ(left.commissure, mirror_partner(right.commissure));
  EXPECT_EQ(left.detail->pupil, mirror_partner(right.detail->pupil));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(left.detail->upper_lid[i], mirror_partner(right.detail->upper_lid[i]));
    EXPECT_EQ(left.detail->lower_lid[i], mirror_partner(right.detail->lower_lid[i]));
  }
  for (size_t i = 0; i < 6; ++i)
    EXPECT_EQ(left.detail->brow[i], mirror_partner(right.detail->brow[i]));
}

TEST(Anatomy, TheSubjectsRightIsOnThePicturesLeftUnlessTheInputIsMirrored) {
  for (LandmarkScheme scheme : {kWflw, kIbug}) {
    const Sides camera, selfie{true};
    EXPECT_EQ(&camera.half(scheme, Side::right), &selfie.half(scheme, Side::left));
    EXPECT_EQ(&camera.half(scheme, Side::left), &selfie.half(scheme, Side::right));
    EXPECT_NE(&camera.half(scheme, Side::left), &camera.half(scheme, Side::right));
  }
  EXPECT_EQ(Sides{}.half(kWflw, Side::right).outer_canthus, 60);
  EXPECT_EQ(Sides{}.half(kIbug, Side::right).outer_canthus, 36);
}

TEST(Anatomy, PointsOfLidsBrowsAndPupilsNeedTheNinetyEight) {
  EXPECT_TRUE(Sides{}.half(kWflw, Side::left).detail);
  EXPECT_FALSE(Sides{}.half(kIbug, Side::left).detail);
  EXPECT_FALSE(Sides{}.half(kIbug, Side::right).detail);
}

TEST(Anatomy, RegionsHoldAsManyPointsOfBothSides) {
  for (Region region : {Region::brows, Region::eyes, Region::mouth}) {
    const auto points = points_of(kWflw, region);
    for (int point : points)
      EXPECT_EQ(std::ranges::count(points, mirror_partner(point)), 1) << point;
    EXPECT_FALSE(points_of(kIbug, region).empty());
  }
}

}  // namespace
}  // namespace vultus::measure
