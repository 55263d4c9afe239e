#include "models/face/blur.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "models/measure/quality.hpp"
#include "tests/support/support.hpp"

namespace vultus::face {
namespace {

/// 8UC3, 64 pixels squared, of what is grey at each column.
template <typename Grey>
cv::Mat columns(Grey grey) {
  cv::Mat picture(64, 64, CV_8UC3);
  for (int x = 0; x < 64; ++x)
    picture.col(x).setTo(cv::Scalar::all(grey(x)));
  return picture;
}

constexpr Box kWhole{0, 0, 64, 64};

TEST(Blur, OfStripesIsWhatAnAverageOverSevenLeavesOfThem) {
  const auto found = blur_of(columns([](int x) { return x % 2 * 255; }), kWhole);
  ASSERT_TRUE(found);
  EXPECT_NEAR(*found, 1.0 / 7, 0.02);  // 4/7 against 3/7; at the border there are no seven
}

TEST(Blur, OfAnEvenRampIsWhole) {
  EXPECT_GT(blur_of(columns([](int x) { return 4 * x; }), kWhole).value(), 0.95);
}

TEST(Blur, TheWorseOfTheTwoDirectionsCounts) {
  cv::Mat picture(64, 64, CV_8UC3);
  for (int y = 0; y < 64; ++y)
    for (int x = 0; x < 64; ++x)
      picture.at<cv::Vec3b>(y, x) = cv::Vec3b::all(static_cast<uint8_t>(2 * y + x % 2 * 100));
  EXPECT_GT(blur_of(picture, kWhole).value(), 0.95);
}

TEST(Blur, ThereIsNoneOutsideOfThePictureNorWhereAllIsAlike) {
  const cv::Mat flat(64, 64, CV_8UC3, cv::Scalar::all(7));
  EXPECT_FALSE(blur_of(flat, kWhole));
  const cv::Mat stripes = columns([](int x) { return x % 2 * 255; });
  EXPECT_FALSE(blur_of(stripes, {70, 0, 90, 20}));
  EXPECT_FALSE(blur_of(stripes, {10, 10, 10.2, 30}));
  EXPECT_FALSE(blur_of(stripes, {20, 20, 10, 10}));
  EXPECT_FALSE(blur_of(stripes, {0, 0, std::numeric_limits<double>::quiet_NaN(), 9}));
  EXPECT_TRUE(blur_of(stripes, {-500, -1e30, 1e30, 64}));
}

TEST(Blur, AFaceOutOfFocusIsBeyondTheLimitAtEverySizeAndOneInFocusIsNot) {
  VULTUS_NEED_SHARED(path, "media/astronaut.png");
  const cv::Mat whole = cv::imread(path);
  for (const double scale : {0.75, 1.0, 2.0}) {
    cv::Mat picture, blurred;
    cv::resize(whole, picture, {}, scale, scale, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    const Box face{177 * scale, 67 * scale, 270 * scale, 187 * scale};
    const double limit = measure::kBlurLimit;
    if (scale <= 1) {
      EXPECT_LT(blur_of(picture, face).value(), limit - 0.1) << scale;
    }
    cv::GaussianBlur(picture, blurred, {}, 0.03 * face.width());
    EXPECT_GT(blur_of(blurred, face).value(), limit + 0.02) << scale;
  }
}

}  // namespace
}  // namespace vultus::face
