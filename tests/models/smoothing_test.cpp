#include "models/face/smoothing.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>
#include <random>
#include <thread>

#include "host/ops/smooth_points.hpp"
#include "models/face/landmark_tracker.hpp"
#include "models/face/stage_times.hpp"

namespace vultus::face {
namespace {

/// 98 points on a grid-like cloud with eyes 40 apart.
Landmarks some_face() {
  Landmarks face{LandmarkScheme::wflw98, {}};
  std::mt19937 engine(7);
  std::uniform_real_distribution<double> uniform(-50, 50);
  for (int i = 0; i < 98; ++i)
    face.points.emplace_back(uniform(engine), uniform(engine));
  for (size_t i = 60; i < 68; ++i)
    face.points[i] = {-20, 0};
  for (size_t i = 68; i < 76; ++i)
    face.points[i] = {20, 0};
  return face;
}

Landmarks moved(const Landmarks& face, const Similarity& by) {
  Landmarks result = face;
  for (Point& p : result.points)
    p = by(p);
  return result;
}

double distance(const Landmarks& a, const Landmarks& b) {
  double sum = 0;
  for (size_t i = 0; i < a.points.size(); ++i)
    sum += cv::norm(a[i] - b[i]);
  return sum / static_cast<double>(a.points.size());
}

TEST(Similarity, TheTransformThatMadeThePointsIsFound) {
  Similarity by{1.3 * std::cos(0.7), 1.3 * std::sin(0.7), 100, -30};
  Similarity found = fit_similarity<Point>(some_face().points, moved(some_face(), by).points);
  EXPECT_NEAR(found.c, by.c, 1e-12);
  EXPECT_NEAR(found.s, by.s, 1e-12);
  EXPECT_NEAR(found.tx, by.tx, 1e-9);
  EXPECT_NEAR(found.ty, by.ty, 1e-9);
}

TEST(LandmarkSmoother, AHeadThatMovesTurnsAndNearsIsFollowedWithoutDelay) {
  LandmarkSmoother smoother;
  Landmarks face = some_face();
  for (int t = 0; t < 30; ++t) {
    double angle = 0.05 * t, scale = 1 + 0.02 * t;
    Landmarks measured =
        moved(face, {scale * std::cos(angle), scale * std::sin(angle), 15.0 * t, -7.0 * t});
    EXPECT_LT(distance(smoother.push(measured), measured), 1e-9);
  }
}

TEST(LandmarkSmoother, TrembleIsMoreThanHalved) {
  LandmarkSmoother smoother;
  std::mt19937 engine(3);
  std::normal_distribution<double> noise(0, 0.2);  // 0.5 % of the eye distance
  Landmarks face = some_face();
  double before = 0, after = 0;
  for (int t = 0; t < 200; ++t) {
    Landmarks measured = face;
    for (Point& p : measured.points)
      p += Point(noise(engine), noise(engine));
    Landmarks smoothed = smoother.push(measured);
    if (t < 20) continue;
    before += distance(measured, face);
    after += distance(smoothed, face);
  }
  EXPECT_LT(after, 0.5 * before);
}

TEST(LandmarkSmoother, ABlinkPassesWhole) {
  LandmarkSmoother smoother;
  Landmarks open = some_face(), closed = open;
  closed.points[62].y += 4;  // a tenth of the eye distance
  for (int t = 0; t < 10; ++t)
    smoother.push(open);
  Landmarks smoothed = smoother.push(closed);
  // The fit gives a little to every point; nine tenths of the lid's way must show at once.
  EXPECT_GT(smoothed[62].y - open[62].y, 3.6);
}

TEST(LandmarkSmoother, AfterAResetNothingIsRemembered) {
  LandmarkSmoother smoother;
  Landmarks face = some_face(), other = moved(face, {1, 0, 500, 500});
  other.points[3] += Point(1, 1);
  smoother.push(face);
  smoother.reset();
  EXPECT_EQ(distance(smoother.push(other), other), 0);
  EXPECT_TRUE(smoother.push(Landmarks{}).empty());
  EXPECT_EQ(distance(smoother.push(face), face), 0);
}

TEST(CutDetector, AnotherSceneIsACutAndSteadyMotionIsNot) {
  cv::Mat scene(480, 640, CV_8UC3);
  cv::randu(scene, 0, 255);
  cv::Mat bright(480, 640, CV_8UC3, cv::Scalar(200, 200, 200));
  CutDetector cuts;
  EXPECT_FALSE(cuts.push(bright));
  EXPECT_FALSE(cuts.push(bright));
  EXPECT_TRUE(cuts.push(scene));
  EXPECT_FALSE(cuts.push(scene));
  CutDetector moving;
  for (int t = 0; t < 20; ++t) {
    // Large steady change counts as cuts only while it sets in.
    cv::Mat frame(480, 640, CV_8UC3, cv::Scalar::all(t % 2 ? 40 : 60));
    bool cut = moving.push(frame);
    if (t > 4) {
      EXPECT_FALSE(cut) << t;
    }
  }
}

TEST(Plausible, PointsMustFillTheBoxAndLieInIt) {
  Landmarks face = some_face();
  EXPECT_TRUE(plausible(face, {-50, -50, 50, 50}));
  EXPECT_FALSE(plausible(face, {200, -50, 300, 50}));
  EXPECT_FALSE(plausible(face, {-500, -500, 500, 500}));
  EXPECT_FALSE(plausible(face, {-5, -5, 5, 5}));
}

TEST(StageTimes, SumsAreExactAndThePercentileIsWithinItsClass) {
  StageTimes times;
  for (int i = 1; i <= 100; ++i)
    times.add("a", i);
  times.add("b", 0);
  std::vector<StageTimes::Row> rows = times.rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].calls, 100);
  EXPECT_DOUBLE_EQ(rows[0].total_ms, 5050);
  EXPECT_DOUBLE_EQ(rows[0].mean_ms, 50.5);
  EXPECT_NEAR(rows[0].p95_ms, 95, 2);
  EXPECT_LT(rows[1].p95_ms, 0.01);
  EXPECT_DOUBLE_EQ(rows[0].min_ms, 1);
  EXPECT_DOUBLE_EQ(rows[0].max_ms, 100);
  EXPECT_DOUBLE_EQ(rows[0].busy_ms, 5050);
}

TEST(StageTimes, CallsAtTheSameTimeAreSummedForThreadsAndCountOnceForTheClock) {
  StageTimes times;
  {
    StageTimes::Timer outer(&times, "a");
    StageTimes::Timer same(&times, "a");
    StageTimes::Timer other(&times, "b");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  std::vector<StageTimes::Row> rows = times.rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].calls, 2);
  // The outer call spans the other two: busy time is its length.
  EXPECT_DOUBLE_EQ(rows[0].busy_ms, rows[0].max_ms);
  EXPECT_DOUBLE_EQ(times.busy_ms(), rows[0].max_ms);
  EXPECT_DOUBLE_EQ(rows[0].total_ms, rows[0].min_ms + rows[0].max_ms);
  EXPECT_GE(rows[1].busy_ms, 2);
}

}  // namespace
}  // namespace vultus::face
