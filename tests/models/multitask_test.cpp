#include "models/face/multitask.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "host/core/write_file.hpp"
#include "host/onnx/writer.hpp"
#include "host/run/device.hpp"
#include "models/face/mirror.hpp"
#include "tests/support/support.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus::face {
namespace {

/// Outputs that are means over the picture: au 0..2 red, green and blue, gaze red and green,
/// emotion 0 three times red. With `own_batch` the sizes of the outputs are constants for one
/// picture.
std::string means(bool own_batch) {
  OnnxWriter network("means");
  network.input("input_face", {1, 3, 224, 224});
  network.node("GlobalAveragePool", "mean", {"input_face"});
  for (auto [name, outputs, gain] : {std::tuple{"emotion", int64_t{8}, 3.0f},
                                     {"gaze", int64_t{2}, 1.0f},
                                     {"au", int64_t{8}, 1.0f}}) {
    const std::string output = name;
    Tensor weights(DType::f32, {outputs, 3, 1, 1});
    for (size_t i = 0; i < (output == "au" ? 3u : output == "gaze" ? 2u : 1u); ++i)
      weights.as<float>()[4 * i] = gain;
    network.initializer(output + ".weight", weights);
    network.node("Conv", output + ".conv", {"mean", output + ".weight"});
    network.initializer(output + ".shape", Tensor::of<int64_t>({2}, {own_batch ? 1 : -1, outputs}));
    network.node("Reshape", output, {output + ".conv", output + ".shape"});
    network.output(output, {1, outputs});
  }
  return network.serialise().value();
}

float normalised(float v, float mean, float deviation) {
  return (v / 255 - mean) / deviation;
}

/// Random faces in frames of one size, by the number of the frame.
std::vector<cv::Mat> noise(int frames) {
  std::vector<cv::Mat> made;
  for (int i = 0; i < frames; ++i) {
    made.emplace_back(240, 320, CV_8UC3);
    cv::RNG(static_cast<uint64_t>(i + 1)).fill(made.back(), cv::RNG::UNIFORM, 0, 80 * (i + 1));
  }
  return made;
}

class MultitaskTest : public testing::TestWithParam<bool> {
 protected:
  Result<std::unique_ptr<Multitask>> open(const std::string& onnx, size_t frames = 1) const {
    const std::string path = (std::filesystem::path(folder_.path()) / "network.onnx").string();
    write_file(path, {onnx}).value();
    return Multitask::open(path, {{cpu_.get()}, Precision::fp32},
                           picture_ = std::make_shared<Picture>(frames));
  }

  mutable std::shared_ptr<Picture> picture_;
  const test::TemporaryFolder folder_;
  std::unique_ptr<Device> cpu_ = open_cpu(1).value();
};

TEST_P(MultitaskTest, ASubjectsRightHalfIsWhatTheLeftOfThePictureShows) {
  auto network = open(means(GetParam()));
  ASSERT_TRUE(network) << network.error().what;
  // BGR: red on the left of the picture, blue on its right; the face's middle between them.
  cv::Mat picture(300, 400, CV_8UC3, cv::Scalar(0, 0, 255));
  picture.colRange(200, 400).setTo(cv::Scalar(255, 0, 0));
  const Midline midline{{199.5, 60}, {199.5, 240}};
  auto found = (*network)->measure(picture, {100.9, 50, 300, 250}, midline);
  ASSERT_TRUE(found) << found.error().what;
  ASSERT_TRUE(*found && (*found)->left && (*found)->right);
  const float full = normalised(255, 0.485f, 0.229f), none = normalised(0, 0.485f, 0.229f);
  const float blue = normalised(255, 0.406f, 0.225f), no_blue = normalised(0, 0.406f, 0.225f);
  const Expression &whole = (*found)->whole, &left = *(*found)->left, &right = *(*found)->right;
  EXPECT_NEAR(whole.action_units[0], (full + none) / 2, 0.02);
  EXPECT_NEAR(whole.action_units[1], normalised(0, 0.456f, 0.224f), 1e-4);
  EXPECT_NEAR(whole.action_units[2], (blue + no_blue) / 2, 0.02);
  EXPECT_NEAR(right.action_units[0], full, 0.06);  // the seam is 3 pixels of 200 wide
  EXPECT_NEAR(right.action_units[2], no_blue, 0.06);
  EXPECT_NEAR(left.action_units[0], none, 0.06);
  EXPECT_NEAR(left.action_units[2], blue, 0.06);
  EXPECT_FLOAT_EQ(right.gaze_yaw, right.action_units[0]);
  EXPECT_FLOAT_EQ(right.gaze_pitch, right.action_units[1]);
  const float e = std::exp(3 * left.action_units[0]);
  EXPECT_NEAR(left.emotions[0], e / (e + 7), 1e-4);
  EXPECT_NEAR(left.emotions[7], 1 / (e + 7), 1e-4);
}

TEST_P(MultitaskTest, WithoutAMidlineOnlyTheWholeFaceIsMeasured) {
  auto network = open(means(GetParam())).value();
  const cv::Mat picture(60, 60, CV_8UC3, cv::Scalar::all(40));
  auto found = network->measure(picture, {10, 10, 50, 50}, std::nullopt).value();
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->left || found->right);
  EXPECT_NEAR(found->whole.action_units[0], normalised(40, 0.485f, 0.229f), 1e-4);
}

TEST_P(MultitaskTest, FacesOfSeveralFramesAreMeasuredAsOneByOne) {
  const std::vector<cv::Mat> frames = noise(3);
  const Midline midline{{150.3, 60}, {171.2, 190.5}};
  // Two faces of a frame, one outside, one without a midline; more than go at once, and a rest.
  const std::vector<Multitask::Face> faces{{0, {70, 30, 260, 230}, midline},
                                           {2, {10, 20, 100, 110}, midline},
                                           {2, {500, 30, 600, 100}, midline},
                                           {0, {150, 80, 190, 140}, std::nullopt},
                                           {1, {70, 30, 260, 230}, midline}};
  auto alone = open(means(GetParam())).value();
  auto together = open(means(GetParam()), 3).value();
  ASSERT_TRUE(picture_->show(frames));
  auto found = together->measure(faces);
  ASSERT_TRUE(found) << found.error().what;
  ASSERT_EQ(found->size(), faces.size());
  for (size_t i = 0; i < faces.size(); ++i) {
    SCOPED_TRACE(i);
    const auto& [frame, box, line] = faces[i];
    const auto expected = alone->measure(frames[frame], box, line).value();
    ASSERT_EQ((*found)[i].has_value(), expected.has_value());
    if (!expected) continue;
    auto expect_near = [](const std::optional<Expression>& a, const std::optional<Expression>& b) {
      ASSERT_EQ(a.has_value(), b.has_value());
      for (size_t k = 0; a && k < 8; ++k) {
        EXPECT_NEAR(a->action_units[k], b->action_units[k], 1e-5);
        EXPECT_NEAR(a->emotions[k], b->emotions[k], 1e-5);
      }
    };
    expect_near((*found)[i]->whole, expected->whole);
    expect_near((*found)[i]->left, expected->left);
    expect_near((*found)[i]->right, expected->right);
  }
  EXPECT_NE((*found)[0]->whole.action_units[0], (*found)[4]->whole.action_units[0]);
  const Multitask::Face missing{3, {70, 30, 260, 230}, midline};
  EXPECT_EQ(together->measure(std::span(&missing, 1)).error().code, Errc::usage);
}

INSTANTIATE_TEST_SUITE_P(Batch, MultitaskTest, testing::Bool(), [](const auto& own_batch) {
  return own_batch.param ? "FaceByFace" : "AllAtOnce";
});

using MultitaskBounds = MultitaskTest;

TEST_F(MultitaskBounds, BoxesAreTruncatedAndCutOffAtTheBorder) {
  EXPECT_EQ(expression_area({10.9, 20.2, 30.9, 40}, {100, 100}), cv::Rect(10, 20, 20, 20));
  EXPECT_EQ(expression_area({-10, -0.5, 30, 400}, {100, 90}), cv::Rect(0, 0, 30, 90));
  EXPECT_TRUE(expression_area({200, 10, 300, 20}, {100, 90}).empty());
  EXPECT_TRUE(expression_area({50, 50, 40, 60}, {100, 90}).empty());
  EXPECT_TRUE(expression_area({std::nan(""), 0, std::nan(""), 1e300}, {100, 90}).empty());
  auto network = open(means(false)).value();
  const cv::Mat picture(60, 60, CV_8UC3, cv::Scalar::all(40));
  EXPECT_FALSE(network->measure(picture, {70, 70, 90, 90}, std::nullopt).value());
  EXPECT_EQ(network->measure(cv::Mat(), {0, 0, 1, 1}, std::nullopt).error().code, Errc::usage);
}

TEST_F(MultitaskBounds, AnotherNetworkIsRefusedWithWhatIsNeeded) {
  OnnxWriter other("other");
  other.input("input", {1, 3, 224, 224});
  other.node("GlobalAveragePool", "au", {"input"});
  other.output("au", {1, 3, 1, 1});
  auto network = open(other.serialise().value());
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().code, Errc::bad_model);
  EXPECT_NE(network.error().what.find("emotion 1x8, gaze 1x2 and au 1x8"), std::string::npos);
}

TEST_F(MultitaskBounds, AHalfIsMeasuredAsTheMirroredVideoShowsIt) {
  VULTUS_NEED_SHARED(path, "models/mtl_efficientnet_b0_224_seeded.onnx");
  auto network = Multitask::open(path, {{cpu_.get()}, Precision::fp32}).value();
  cv::Mat picture(240, 320, CV_8UC3);
  cv::RNG(7).fill(picture, cv::RNG::UNIFORM, 0, 256);
  const Midline midline{{150.3, 60}, {171.2, 190.5}};
  const Box box{70.5, 30.2, 260, 230};
  const Expressions found = network->measure(picture, box, midline).value().value();
  for (auto [side, half] : {std::pair{Side::left, &*found.left}, {Side::right, &*found.right}}) {
    const cv::Mat mirrored = mirror(picture, midline, side);
    const Expressions alone = network->measure(mirrored, box, std::nullopt).value().value();
    for (size_t i = 0; i < 8; ++i) {
      EXPECT_NEAR(half->action_units[i], alone.whole.action_units[i], 1e-5);
      EXPECT_NEAR(half->emotions[i], alone.whole.emotions[i], 1e-5);
    }
    EXPECT_GT(cv::norm(cv::Mat(half->action_units), cv::Mat(found.whole.action_units)), 1e-4);
  }
}

/// The largest difference in grey levels between what the CPU resizes and what CropWarp, which the
/// GPU runs, makes of it; `edge` columns and rows at the border are left out.
double worst_difference(const cv::Mat& picture, const cv::Rect& area, int edge_columns,
                        int edge_rows) {
  const cv::Mat face = expression_face(picture(area));
  const CropWarp crop{.height = 224, .width = 224, .area = true};
  std::vector<float> planes(3 * 224 * 224);
  std::vector<double> scratch(static_cast<size_t>(crop_scratch_bytes(crop)) / sizeof(double) + 1);
  crop_warp({picture.data, picture.rows, picture.cols, static_cast<int64_t>(picture.step[0])},
            {area.x + area.width / 2.0, area.y + area.height / 2.0, double(area.width),
             double(area.height)},
            crop, reinterpret_cast<std::byte*>(scratch.data()), planes.data());
  double worst = 0;
  for (int y = edge_rows; y < 224 - edge_rows; ++y)
    for (int x = edge_columns; x < 224 - edge_columns; ++x)
      for (int c = 0; c < 3; ++c)
        worst =
            std::max(worst, std::abs(double{planes[static_cast<size_t>((c * 224 + y) * 224 + x)]} -
                                     face.at<cv::Vec3b>(y, x)[c]));
  return worst;
}

// What the GPU is given in the place of cv::resize.
TEST(MultitaskCrop, TheOperatorFiltersEachAxisAsTheCpuDoes) {
  cv::Mat picture(400, 500, CV_8UC3);
  cv::RNG(7).fill(picture, cv::RNG::UNIFORM, 0, 256);
  for (const cv::Rect& area : {cv::Rect(10, 20, 480, 370), cv::Rect(3, 5, 225, 300)})
    EXPECT_LT(worst_difference(picture, area, 0, 0), 0.501) << area;  // rounded
  // Where it grows, OpenCV repeats the border; the operator sees what lies behind it.
  EXPECT_LT(worst_difference(picture, {40, 30, 200, 300}, 1, 0), 0.501);
  EXPECT_LT(worst_difference(picture, {40, 30, 300, 200}, 0, 1), 0.501);
  EXPECT_LT(worst_difference(picture, {40, 30, 224, 300}, 0, 0), 0.501);
  EXPECT_LT(worst_difference(picture, {40, 30, 200, 200}, 1, 1), 1.5);  // in 11 bits
}

}  // namespace
}  // namespace vultus::face
