#include "models/face/midline.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace vultus::face {
namespace {

Landmarks numbered(LandmarkScheme scheme) {
  Landmarks landmarks{.scheme = scheme, .points = {}};
  for (size_t i = 0; i < point_count(scheme); ++i)
    landmarks.points.push_back({static_cast<double>(i), 1000 + 3.0 * static_cast<double>(i)});
  return landmarks;
}

TEST(Midline, OfNinetyEightPointsGoesFromBetweenTheBrowsToTheChin) {
  auto midline = midline_of(numbered(LandmarkScheme::wflw98));
  ASSERT_TRUE(midline);
  EXPECT_EQ(midline->glabella, Point(44, 1132));
  EXPECT_EQ(midline->chin, Point(16, 1048));
}

TEST(Midline, OfSixtyEightPointsGoesFromBetweenTheBrowsToTheChin) {
  auto midline = midline_of(numbered(LandmarkScheme::ibug68));
  ASSERT_TRUE(midline);
  EXPECT_EQ(midline->glabella, Point(21.5, 1064.5));
  EXPECT_EQ(midline->chin, Point(8, 1024));
}

TEST(Midline, IsAbsentWithoutPointsOrLength) {
  EXPECT_FALSE(midline_of(Landmarks{}));
  Landmarks few = numbered(LandmarkScheme::ibug68);
  few.scheme = LandmarkScheme::wflw98;
  EXPECT_FALSE(midline_of(few));
  Landmarks broken = numbered(LandmarkScheme::wflw98);
  broken.points[16].y = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(midline_of(broken));
  Landmarks flat = numbered(LandmarkScheme::wflw98);
  for (Point& p : flat.points)
    p = {5, 5};
  EXPECT_FALSE(midline_of(flat));
}

Midline at(double x) {
  return {.glabella = {x, 0}, .chin = {2 * x, 10}};
}

TEST(MidlineSmoother, IsTheMeanOfTheLastFiveFrames) {
  MidlineSmoother smoother;
  EXPECT_EQ(smoother.push(at(1))->glabella.x, 1);
  EXPECT_EQ(smoother.push(at(2))->glabella.x, 1.5);
  for (double x : {3, 4, 5})
    smoother.push(at(x));
  auto mean = smoother.push(at(11));  // 2 3 4 5 11
  EXPECT_DOUBLE_EQ(mean->glabella.x, 5);
  EXPECT_DOUBLE_EQ(mean->chin.x, 10);
  EXPECT_DOUBLE_EQ(mean->chin.y, 10);
}

TEST(MidlineSmoother, ForgetsWhenTheFaceIsLostOrTheSceneChanges) {
  MidlineSmoother smoother;
  smoother.push(at(100));
  EXPECT_FALSE(smoother.push(std::nullopt));
  EXPECT_EQ(smoother.push(at(2))->glabella.x, 2);
  smoother.reset();
  EXPECT_EQ(smoother.push(at(7))->glabella.x, 7);
}

}  // namespace
}  // namespace vultus::face
