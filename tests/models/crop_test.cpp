#include "models/face/crop.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <opencv2/core.hpp>
#include <random>

namespace vultus::face {
namespace {

cv::Mat noise(int width, int height, uint32_t seed) {
  cv::Mat picture(height, width, CV_8UC3);
  std::mt19937 engine(seed);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < 3 * width; ++x)
      picture.ptr<uint8_t>(y)[x] = static_cast<uint8_t>(engine());
  return picture;
}

double sample(const cv::Mat& picture, double x, double y, int channel) {
  double sum = 0;
  for (int dy = 0; dy < 2; ++dy)
    for (int dx = 0; dx < 2; ++dx) {
      double px = std::floor(x) + dx, py = std::floor(y) + dy;
      if (px < 0 || py < 0 || px >= picture.cols || py >= picture.rows) continue;
      double weight = (1 - std::abs(x - px)) * (1 - std::abs(y - py));
      sum +=
          weight * picture.ptr<uint8_t>(static_cast<int>(py))[3 * static_cast<int>(px) + channel];
    }
  return sum;
}

void expect_like_the_formula(const cv::Mat& picture, const Square& square, int size,
                             CropGrid grid) {
  CropFormat format{CropFormat::Channels::rgb, {0.5f, 2, 1}, {1, -3, 0}};
  auto area = static_cast<size_t>(size * size);
  std::vector<float> out(3 * area);
  crop(picture, square, size, grid, format, out);
  double worst = 0;
  for (int v = 0; v < size; ++v)
    for (int u = 0; u < size; ++u)
      for (int c = 0; c < 3; ++c) {
        auto at = [&](double centre, int i) {
          return grid == CropGrid::centres
                     ? centre - square.side / 2 + (i + 0.5) * square.side / size - 0.5
                     : centre + (i - (size - 1) / 2.0) * square.side / size;
        };
        auto k = static_cast<size_t>(c);
        double expected = sample(picture, at(square.centre.x, u), at(square.centre.y, v), 2 - c) *
                              static_cast<double>(format.scale[k]) +
                          static_cast<double>(format.shift[k]);
        double got = static_cast<double>(out[k * area + static_cast<size_t>(v * size + u)]);
        worst = std::max(worst, std::abs(got - expected));
      }
  // Float weights and sums of values up to 510: a few units of the 24th bit.
  EXPECT_LT(worst, 3e-4);
}

TEST(Crop, BothGridsMatchTheDoublePrecisionFormulaInsideAndAcrossTheBorder) {
  cv::Mat picture = noise(61, 47, 1);
  for (CropGrid grid : {CropGrid::centres, CropGrid::corners}) {
    expect_like_the_formula(picture, {{30.3, 22.7}, 20.9}, 112, grid);
    expect_like_the_formula(picture, {{2.5, 44.1}, 33.3}, 64, grid);
    expect_like_the_formula(picture, {{30, 20}, 200}, 31, grid);
    expect_like_the_formula(picture, {{-300, 20}, 50}, 8, grid);
  }
}

TEST(Crop, ANeutralSquareReturnsThePicture) {
  cv::Mat picture = noise(16, 16, 2);
  std::vector<float> out(3 * 256);
  crop(picture, {{8, 8}, 16}, 16, CropGrid::centres, {CropFormat::Channels::bgr}, out);
  for (int y = 0; y < 16; ++y)
    for (int x = 0; x < 16; ++x)
      for (int c = 0; c < 3; ++c)
        EXPECT_EQ(out[static_cast<size_t>(256 * c + 16 * y + x)],
                  static_cast<float>(picture.ptr<uint8_t>(y)[3 * x + c]));
}

TEST(Crop, GreyWeighsTheChannels) {
  cv::Mat picture(4, 4, CV_8UC3, cv::Scalar(10, 100, 200));
  std::vector<float> out(4);
  crop(picture, {{2, 2}, 2}, 2, CropGrid::centres,
       {CropFormat::Channels::grey, {1, 1, 1}, {0, 0, 0}}, out);
  for (float v : out)
    EXPECT_NEAR(v, 0.114 * 10 + 0.587 * 100 + 0.299 * 200, 1e-4);
}

TEST(Crop, SquaresThatAreNotNumbersOrFarAwayGiveZeros) {
  cv::Mat picture = noise(8, 8, 3);
  for (double bad : {std::numeric_limits<double>::quiet_NaN(), 1e300, -1e300,
                     std::numeric_limits<double>::infinity()}) {
    std::vector<float> out(3 * 16, 7.0f);
    crop(picture, {{bad, 4}, 4}, 4, CropGrid::centres, {CropFormat::Channels::bgr}, out);
    EXPECT_EQ(out, std::vector<float>(3 * 16, 0.0f));
  }
}

}  // namespace
}  // namespace vultus::face
