#include "models/report/thumbnails.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <opencv2/core.hpp>

#include "models/image/image.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus::report {
namespace {

/// The picture of a data: address.
cv::Mat picture_of(const std::string& address, const std::string& folder) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string path = folder + "/thumbnail.jpg";
  {
    std::ofstream file(path, std::ios::binary);
    uint32_t bits = 0;
    int count = 0;
    for (char c : address.substr(address.find(',') + 1)) {
      if (c == '=') break;
      bits = bits << 6 | static_cast<uint32_t>(kAlphabet.find(c));
      if ((count += 6) >= 8) file.put(static_cast<char>(bits >> (count -= 8)));
    }
  }
  return read_image(path).value();
}

/// How many pixels are white there.
int white(const cv::Mat& picture, cv::Rect where) {
  cv::Mat channel;
  cv::extractChannel(picture(where), channel, 1);
  return cv::countNonZero(channel > 200);
}

// On a grey picture the letters alone are white. An R has its bow in the upper right quarter.
TEST(Thumbnails, HaveTheSubjectsLeftAndRightBesideTheFace) {
  const test::TemporaryFolder folder;
  const std::string input = folder.path() + "/grey.png";
  ASSERT_TRUE(write_png(input, cv::Mat(400, 400, CV_8UC3, cv::Scalar::all(90))));
  FaceRecord face;
  face.face.box = {150, 150, 250, 250};
  face.face.landmarks.points.assign(98, {200, 200});
  face.face.landmarks.points[38] = {195, 170};
  face.face.landmarks.points[50] = {205, 170};
  face.face.landmarks.points[16] = {200, 230};
  const RecordSource records = [&](const measure::RecordVisitor& visit) {
    return visit({1, std::nullopt, false, {face}});
  };
  for (const bool mirrored : {false, true}) {
    ThumbnailPlan plan;
    plan.moments = {1};
    plan.strip = 1;
    plan.frames = 1;
    plan.sides.mirrored_input = mirrored;
    const Thumbnails taken = take_thumbnails(input, records, plan).value();
    ASSERT_TRUE(taken.moments.at(0));
    for (const Thumbnail& thumbnail : {*taken.moments[0], taken.strip.at(0)}) {
      const cv::Mat picture = picture_of(thumbnail.whole, folder.path());
      const int size = picture.cols, middle = size / 2, beside = size * 42 / 100;
      for (const int x : {middle - beside, middle + beside})
        EXPECT_GT(white(picture, {x - 8, middle - 10, 16, 20}), 5) << size;
      const int bow_left = white(picture, {middle - beside + 2, middle - 6, 8, 5});
      const int bow_right = white(picture, {middle + beside + 2, middle - 6, 8, 5});
      EXPECT_EQ(bow_left > 0, !mirrored) << size;
      EXPECT_EQ(bow_right > 0, mirrored) << size;
      EXPECT_EQ(white(picture, {middle - beside + 12, 0, 2 * beside - 24, size}), 0);
    }
    const cv::Mat half = picture_of(taken.moments[0]->left, folder.path());
    EXPECT_EQ(white(half, {0, 0, half.cols, half.rows}), 0) << "its words say which half it is";
  }
}

}  // namespace
}  // namespace vultus::report
