#include "models/face/overlay.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <opencv2/core.hpp>

namespace vultus::face {
namespace {

cv::Mat plain(int width, int height) {
  return cv::Mat(height, width, CV_8UC3, cv::Scalar(128, 128, 128));
}

/// Points on a circle, enough for the scheme.
Landmarks circle(LandmarkScheme scheme, Point centre, double radius) {
  Landmarks landmarks{.scheme = scheme, .points = {}};
  for (size_t i = 0; i < point_count(scheme); ++i) {
    double angle = static_cast<double>(i);
    landmarks.points.push_back(
        {centre.x + radius * std::cos(angle), centre.y + radius * std::sin(angle)});
  }
  return landmarks;
}

bool touched(const cv::Mat& before, const cv::Mat& after, cv::Rect where) {
  return cv::norm(before(where), after(where), cv::NORM_INF) > 40;
}

TEST(Overlay, LeavesTheFrameItselfAlone) {
  cv::Mat frame = plain(320, 240);
  cv::Mat copy = frame.clone();
  draw_overlay(frame, {.box = Box{10, 10, 100, 100}, .header = "frame 1"});
  EXPECT_EQ(cv::norm(frame, copy, cv::NORM_INF), 0);
}

TEST(Overlay, WithNothingToDrawIsACopy) {
  cv::Mat frame = plain(320, 240);
  EXPECT_EQ(cv::norm(draw_overlay(frame, Overlay{}), frame, cv::NORM_INF), 0);
}

TEST(Overlay, EveryPointOfBothSchemesIsMarked) {
  for (LandmarkScheme scheme : {LandmarkScheme::wflw98, LandmarkScheme::ibug68}) {
    cv::Mat frame = plain(640, 480);
    Overlay overlay;
    overlay.landmarks = circle(scheme, {320, 240}, 150);
    cv::Mat out = draw_overlay(frame, overlay);
    for (const Point& p : overlay.landmarks.points)
      EXPECT_TRUE(touched(
          frame, out,
          {static_cast<int>(std::lround(p.x)) - 1, static_cast<int>(std::lround(p.y)) - 1, 3, 3}));
  }
}

TEST(Overlay, BoxMidlineAndHeaderAreWhereTheyBelong) {
  for (cv::Size size : {cv::Size(640, 360), cv::Size(1920, 1080)}) {
    cv::Mat frame = plain(size.width, size.height);
    double s = size.height / 360.0;
    auto at = [&](double x, double y) {
      return cv::Rect(static_cast<int>(x * s) - 2, static_cast<int>(y * s) - 2, 5, 5);
    };
    cv::Mat box = draw_overlay(frame, {.box = Box{200 * s, 100 * s, 300 * s, 220 * s}});
    for (auto rect : {at(250, 100), at(250, 220), at(200, 160), at(300, 160)})
      EXPECT_TRUE(touched(frame, box, rect));
    EXPECT_FALSE(touched(frame, box, at(250, 160)));
    cv::Mat line =
        draw_overlay(frame, {.midline = Midline{{320 * s, 150 * s}, {320 * s, 220 * s}}});
    EXPECT_TRUE(touched(frame, line, at(320, 10))) << "the line goes on to the border";
    EXPECT_TRUE(touched(frame, line, at(320, 350)));
    EXPECT_FALSE(touched(frame, line, at(340, 180)));
    cv::Mat text = draw_overlay(frame, {.header = overlay_header(12, 0.4, 0.99)});
    EXPECT_TRUE(touched(frame, text, at(20, 8)));
    EXPECT_FALSE(touched(frame, text, at(20, 60)));
  }
}

TEST(Overlay, HeaderSaysFrameTimeAndConfidence) {
  EXPECT_EQ(overlay_header(123, 4.1, 0.9984), "frame 123   4.100 s   face 0.998");
  EXPECT_EQ(overlay_header(0, 0, std::nullopt), "frame 0   0.000 s   no face");
}

TEST(Overlay, PointsOutsideOrNotFiniteAreHarmless) {
  double nan = std::numeric_limits<double>::quiet_NaN();
  double inf = std::numeric_limits<double>::infinity();
  Overlay overlay{.box = Box{-1e9, nan, inf, 50},
                  .midline = Midline{{nan, 1}, {2, inf}},
                  .header = std::string(500, 'x')};
  overlay.landmarks = circle(LandmarkScheme::wflw98, {-50, 1e7}, 100);
  overlay.landmarks.points[3] = {nan, nan};
  for (cv::Size size : {cv::Size(1, 1), cv::Size(40, 7), cv::Size(320, 240)})
    EXPECT_EQ(draw_overlay(plain(size.width, size.height), overlay).size(), size);
}

}  // namespace
}  // namespace vultus::face
