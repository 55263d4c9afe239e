#include "models/face/overlay.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <vector>

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

/// The middle of the box around what is white in the part of the picture where `part` is true.
std::optional<Point> ink(const cv::Mat& picture, const std::function<bool(Point)>& part) {
  cv::Mat white(picture.size(), CV_8UC1, cv::Scalar(0));
  for (int y = 0; y < picture.rows; ++y)
    for (int x = 0; x < picture.cols; ++x)
      white.at<uint8_t>(y, x) = picture.at<cv::Vec3b>(y, x)[1] > 205 && part(Point(x, y));
  std::vector<cv::Point> points;
  cv::findNonZero(white, points);
  if (points.empty()) return std::nullopt;
  const auto [left, right] = std::ranges::minmax(points, {}, &cv::Point::x);
  const auto [top, bottom] = std::ranges::minmax(points, {}, &cv::Point::y);
  return Point{(left.x + right.x) / 2.0, (top.y + bottom.y) / 2.0};
}

/// An R has its bow in the upper right quarter of its box about `at`, where an L has nothing.
bool is_r(const cv::Mat& picture, Point at, double height) {
  return ink(picture,
             [&](Point p) {
               return p.x > at.x + 0.1 * height && p.x < at.x + 0.6 * height &&
                      p.y < at.y - 0.05 * height && p.y > at.y - 0.6 * height;
             })
      .has_value();
}

TEST(Overlay, LettersStandOnTheSidesOfTheSubjectHoweverTheHeadIsTilted) {
  constexpr double kReach = 100;
  const Point middle{200, 200};
  for (int degrees = 0; degrees < 360; degrees += 30)
    for (const bool mirrored : {false, true}) {
      SCOPED_TRACE(testing::Message() << degrees << (mirrored ? " mirrored" : ""));
      const double angle = degrees * CV_PI / 180;
      const Point down{-std::sin(angle), std::cos(angle)}, across{down.y, -down.x};
      cv::Mat out = plain(400, 400);
      draw_sides(out, {middle - 40 * down, middle + 40 * down}, kReach, 24, mirrored);
      // Upright: the subject's left is to the right of the picture, x > 200.
      const double to_left = mirrored ? -1 : 1;
      for (const double side : {to_left, -to_left}) {
        const Point expected = middle + side * kReach * across;
        const auto found = ink(out, [&](Point p) { return (p - middle).dot(across) * side > 0; });
        ASSERT_TRUE(found);
        EXPECT_LT(cv::norm(*found - expected), 3);
        EXPECT_EQ(is_r(out, expected, 24), side != to_left);
      }
    }
}

TEST(Overlay, OfAFaceAtTheEdgeOnlyTheLetterWithRoomOnItsSideIsWritten) {
  const auto written = [](const Midline& midline, double reach, double from, double to) {
    cv::Mat out = plain(120, 120);
    draw_sides(out, midline, reach, 20, false);
    // Whole letters: no ink on the border.
    EXPECT_FALSE(ink(out, [](Point p) { return p.x < 1 || p.y < 1 || p.x > 118 || p.y > 118; }));
    return ink(out, [&](Point p) { return p.x > from && p.x < to; }).has_value();
  };
  const Midline left_edge{{4, 40}, {4, 80}}, middle{{60, 40}, {60, 80}}, above{{60, -30}, {60, 4}};
  EXPECT_TRUE(written(middle, 300, 60, 120)) << "moved in from outside";
  EXPECT_TRUE(written(middle, 300, 0, 60));
  EXPECT_TRUE(written(left_edge, 40, 30, 60));
  EXPECT_FALSE(written(left_edge, 40, 0, 30)) << "an R there would be on the subject's left";
  EXPECT_TRUE(written(above, 40, 60, 120));
  EXPECT_TRUE(written(above, 40, 0, 60));
}

TEST(Overlay, LettersComeWithAMidlineInABox) {
  const cv::Mat frame = plain(640, 480);
  Overlay overlay{.box = Box{220, 140, 420, 340}, .midline = Midline{{320, 200}, {320, 320}}};
  for (const bool mirrored : {false, true}) {
    overlay.mirrored_input = mirrored;
    const cv::Mat out = draw_overlay(frame, overlay);
    // 0.75 of the box's width from the midline, 18 pixels high at 720 lines.
    EXPECT_EQ(is_r(out, {320 - 150, 260}, 12), !mirrored);
    EXPECT_EQ(is_r(out, {320 + 150, 260}, 12), mirrored);
    EXPECT_TRUE(touched(frame, out, {164, 254, 12, 12}));
    EXPECT_TRUE(touched(frame, out, {464, 254, 12, 12}));
  }
  overlay.midline.reset();
  EXPECT_FALSE(touched(frame, draw_overlay(frame, overlay), {164, 254, 12, 12}));
}

TEST(Overlay, AWarningStandsBehindTheHeaderInAnotherColour) {
  const cv::Mat frame = plain(640, 480);
  auto orange = [&](const std::string& warning) {
    const cv::Mat out = draw_overlay(frame, {.header = "frame 1   0.000 s", .warning = warning});
    cv::Mat found;
    cv::inRange(out, cv::Scalar(0, 120, 200), cv::Scalar(120, 200, 255), found);
    return found.empty() ? cv::Rect() : cv::boundingRect(found);
  };
  EXPECT_TRUE(orange("").empty());
  const cv::Rect where = orange("yaw|blur");
  EXPECT_GT(where.width, 20);
  EXPECT_GT(where.x, 60) << "behind the header";
  EXPECT_LT(where.br().y, 40);
}

TEST(Overlay, AWarningIsNotCutOffInUprightPictures) {
  const cv::Mat frame = plain(1080, 1920);
  const cv::Mat out =
      draw_overlay(frame, {.header = overlay_header(12345, 411.033, 0.998),
                           .warning = "small_face|yaw|pitch|roll|partial|two_faces"});
  cv::Mat found;
  cv::inRange(out, cv::Scalar(0, 120, 200), cv::Scalar(120, 200, 255), found);
  const cv::Rect where = cv::boundingRect(found);
  EXPECT_LT(where.br().x, 1080 - 3);
  EXPECT_GT(where.width, 300);
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
