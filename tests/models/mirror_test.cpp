#include "models/face/mirror.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <random>

namespace vultus::face {
namespace {

/// The definition, pixel by pixel in double precision.
cv::Mat reference(const cv::Mat& frame, const Midline& m, Side side) {
  double dx = m.chin.x - m.glabella.x, dy = m.chin.y - m.glabella.y;
  double length = std::sqrt(dx * dx + dy * dy);
  double nx = -dy / length, ny = dx / length;
  cv::Mat out(frame.size(), CV_8UC3);
  for (int y = 0; y < frame.rows; ++y)
    for (int x = 0; x < frame.cols; ++x) {
      double t = (x - m.glabella.x) * nx + (y - m.glabella.y) * ny;
      double qx = x - 2 * t * nx, qy = y - 2 * t * ny;
      double kept = std::clamp(0.5 + (side == Side::right ? t : -t) / 6, 0.0, 1.0);
      for (int c = 0; c < 3; ++c) {
        auto at = [&](double px, double py) {
          int ix = std::clamp(static_cast<int>(px), 0, frame.cols - 1);
          int iy = std::clamp(static_cast<int>(py), 0, frame.rows - 1);
          return static_cast<double>(frame.at<cv::Vec3b>(iy, ix)[c]);
        };
        double fx = std::floor(qx), fy = std::floor(qy);
        double wx = qx - fx, wy = qy - fy;
        double reflected = (1 - wy) * ((1 - wx) * at(fx, fy) + wx * at(fx + 1, fy)) +
                           wy * ((1 - wx) * at(fx, fy + 1) + wx * at(fx + 1, fy + 1));
        double value = kept * frame.at<cv::Vec3b>(y, x)[c] + (1 - kept) * reflected;
        out.at<cv::Vec3b>(y, x)[c] = static_cast<uint8_t>(std::floor(value + 0.5));
      }
    }
  return out;
}

cv::Mat noise(int width, int height) {
  cv::Mat image(height, width, CV_8UC3);
  cv::RNG random(99);
  random.fill(image, cv::RNG::UNIFORM, 0, 256);
  return image;
}

struct Line {
  const char* name;
  Midline midline;
};

class AboutLine : public testing::TestWithParam<Line> {};

// One level: our weights and the reflected value are rounded once more than the reference's.
TEST_P(AboutLine, BothSidesMeetTheDefinition) {
  cv::Mat frame = noise(157, 91);
  MirroredPair pair;
  mirror_both(frame, GetParam().midline, pair);
  for (Side side : {Side::right, Side::left}) {
    cv::Mat expected = reference(frame, GetParam().midline, side);
    cv::Mat got = mirror(frame, GetParam().midline, side);
    EXPECT_LE(cv::norm(got, expected, cv::NORM_INF), 1);
    EXPECT_GE(cv::PSNR(got, expected), 55);
    EXPECT_EQ(cv::norm(got, side == Side::right ? pair.right : pair.left, cv::NORM_INF), 0);
  }
}

TEST_P(AboutLine, TheKeptSideIsTheFrameBitForBit) {
  cv::Mat frame = noise(157, 91);
  const Midline& m = GetParam().midline;
  MirroredPair pair;
  mirror_both(frame, m, pair);
  double dx = m.chin.x - m.glabella.x, dy = m.chin.y - m.glabella.y;
  double length = std::hypot(dx, dy);
  for (int y = 0; y < frame.rows; ++y)
    for (int x = 0; x < frame.cols; ++x) {
      double t = (-(x - m.glabella.x) * dy + (y - m.glabella.y) * dx) / length;
      if (t > 3.001) {
        EXPECT_EQ(pair.right.at<cv::Vec3b>(y, x), frame.at<cv::Vec3b>(y, x));
      }
      if (t < -3.001) {
        EXPECT_EQ(pair.left.at<cv::Vec3b>(y, x), frame.at<cv::Vec3b>(y, x));
      }
    }
}

TEST_P(AboutLine, TheOperatorsPixelsAreThoseOfTheVideo) {
  const cv::Mat frame = noise(97, 83);
  const PicturePixels pixels{frame.data, frame.rows, frame.cols,
                             static_cast<int64_t>(frame.step[0])};
  for (Side side : {Side::right, Side::left}) {
    const cv::Mat video = mirror(frame, GetParam().midline, side);
    const MirrorLine line = mirror_line(GetParam().midline, side, {40, 40});
    int differ = 0;
    for (int y = 0; y < frame.rows; ++y)
      for (int x = 0; x < frame.cols; ++x) {
        const std::array<float, 3> bgr = mirrored_pixel(pixels, line, y, x);
        for (int c = 0; c < 3; ++c) {
          const int there = video.at<cv::Vec3b>(y, x)[c];
          const int difference = std::abs(static_cast<int>(bgr[static_cast<size_t>(c)]) - there);
          ASSERT_LE(difference, 1) << x << " " << y;
          differ += difference;
        }
      }
    // Weights of 10 bits: a rounding may fall the other way.
    EXPECT_LT(differ, frame.rows * frame.cols * 3 / 10);
  }
}

TEST_P(AboutLine, APartIsWhatTheWholeFramesHaveThere) {
  cv::Mat frame = noise(157, 91);
  MirroredPair whole, part;
  mirror_both(frame, GetParam().midline, whole);
  for (const cv::Rect& area : {cv::Rect(0, 0, 157, 91), cv::Rect(60, 30, 37, 41),
                               cv::Rect(156, 90, 1, 1), cv::Rect(0, 17, 20, 3)}) {
    mirror_both(frame, GetParam().midline, area, part);
    EXPECT_EQ(cv::norm(part.right, whole.right(area), cv::NORM_INF), 0) << area;
    EXPECT_EQ(cv::norm(part.left, whole.left(area), cv::NORM_INF), 0) << area;
  }
}

INSTANTIATE_TEST_SUITE_P(Mirror, AboutLine,
                         testing::Values(Line{"Upright", {{78, 20}, {78, 70}}},
                                         Line{"HalfPixel", {{78.5, 20}, {78.5, 70}}},
                                         Line{"Tilted", {{70.3, 20.1}, {81.7, 66.4}}},
                                         Line{"TiltedFar", {{60, 60}, {110.2, 10.4}}},
                                         Line{"UpsideDown", {{78.2, 70}, {75.1, 20}}},
                                         Line{"Lying", {{40, 45.25}, {90, 45.25}}},
                                         Line{"LyingBackwards", {{90, 45}, {40, 45}}},
                                         Line{"NearlyLying", {{40, 45}, {90, 45.001}}},
                                         Line{"LeftOfTheFrame", {{-60, 20}, {-50, 70}}},
                                         Line{"RightOfTheFrame", {{400, 20}, {390, 70}}},
                                         Line{"FarAbove", {{10, -5000}, {60, -5001}}}),
                         [](const auto& line) { return std::string(line.param.name); });

TEST(Mirror, RightMeansThePatientsRightWhichIsOnTheLeftOfThePicture) {
  cv::Mat frame(40, 60, CV_8UC3, cv::Scalar(0, 0, 255));
  frame.colRange(30, 60).setTo(cv::Scalar(255, 0, 0));
  Midline midline{{29.5, 10}, {29.5, 30}};
  MirroredPair pair;
  mirror_both(frame, midline, pair);
  for (int x : {0, 20, 40, 59}) {
    EXPECT_EQ(pair.right.at<cv::Vec3b>(20, x), cv::Vec3b(0, 0, 255)) << x;
    EXPECT_EQ(pair.left.at<cv::Vec3b>(20, x), cv::Vec3b(255, 0, 0)) << x;
  }
}

TEST(Mirror, TheSeamCrossFadesFromTheFrameToTheReflectionThroughTheirMean) {
  cv::Mat frame(9, 41, CV_8UC3, cv::Scalar::all(20));
  frame.colRange(21, 41).setTo(cv::Scalar::all(220));
  frame.col(20).setTo(cv::Scalar::all(120));
  cv::Mat out = mirror(frame, Midline{{20, 0}, {20, 8}}, Side::right);
  // Reflection: 20 right of the line, 220 left of it; weights of the frame by distance/6 + 1/2.
  const int expected[] = {20, 20, 53, 87, 120, 87, 53, 20, 20};
  for (int i = 0; i < 9; ++i)
    EXPECT_NEAR(out.at<cv::Vec3b>(4, 16 + i)[0], expected[i], 1) << i;
}

TEST(Mirror, APictureSymmetricAboutATiltedLineStaysAsItIs) {
  Midline midline{{95.2, 40.7}, {110.9, 120.3}};
  double dx = midline.chin.x - midline.glabella.x, dy = midline.chin.y - midline.glabella.y;
  double length = std::hypot(dx, dy);
  cv::Mat frame(160, 200, CV_8UC3);
  for (int y = 0; y < frame.rows; ++y)
    for (int x = 0; x < frame.cols; ++x) {
      double along = ((x - midline.glabella.x) * dx + (y - midline.glabella.y) * dy) / length;
      double across = (-(x - midline.glabella.x) * dy + (y - midline.glabella.y) * dx) / length;
      double value = 128 + 60 * std::cos(across / 9) + 50 * std::sin(along / 11);
      frame.at<cv::Vec3b>(y, x) = cv::Vec3b::all(static_cast<uint8_t>(value + 0.5));
    }
  MirroredPair pair;
  mirror_both(frame, midline, pair);
  // Where the reflection lies inside the frame; bilinear sampling of these waves is good to 1/2.
  cv::Rect inside(45, 35, 110, 90);
  EXPECT_LE(cv::norm(pair.right(inside), frame(inside), cv::NORM_INF), 2);
  EXPECT_LE(cv::norm(pair.left(inside), frame(inside), cv::NORM_INF), 2);
}

TEST(Mirror, WithoutAUsableMidlineTheFrameIsUnchanged) {
  cv::Mat frame = noise(33, 17);
  double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::optional<Midline>& midline :
       {std::optional<Midline>(), std::optional<Midline>(Midline{{5, 5}, {5, 5}}),
        std::optional<Midline>(Midline{{nan, 5}, {5, 9}}),
        std::optional<Midline>(Midline{{1e300, 5}, {5, 9}})}) {
    MirroredPair pair;
    mirror_both(frame, midline, pair);
    EXPECT_EQ(cv::norm(pair.right, frame, cv::NORM_INF), 0);
    EXPECT_EQ(cv::norm(pair.left, frame, cv::NORM_INF), 0);
    EXPECT_EQ(cv::norm(mirror(frame, midline, Side::left), frame, cv::NORM_INF), 0);
  }
}

TEST(Mirror, WithoutAUsableMidlineNetworksSeeTheFrame) {
  EXPECT_EQ(mirror_line(std::nullopt, Side::left, {1, 2}).side, 0);
  EXPECT_EQ(mirror_line(Midline{{5, 5}, {5, 5}}, Side::left, {1, 2}).side, 0);
}

TEST(Mirror, AFrameThatIsAPartOfALargerOneIsTakenAsItIs) {
  cv::Mat large = noise(80, 60);
  cv::Mat part = large(cv::Rect(11, 7, 50, 40));
  Midline midline{{24.6, 3}, {27, 38}};
  EXPECT_EQ(cv::norm(mirror(part, midline, Side::right), mirror(part.clone(), midline, Side::right),
                     cv::NORM_INF),
            0);
}

}  // namespace
}  // namespace vultus::face
