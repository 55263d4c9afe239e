#include "models/face/landmarker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <opencv2/core.hpp>

#include "host/core/write_file.hpp"
#include "host/onnx/writer.hpp"
#include "host/run/device.hpp"

namespace vultus::face {
namespace {

/// STAR's input, and for each name an output of 98 points, all at that place in -1..1.
std::string points_at(const std::vector<std::pair<std::string, float>>& outputs) {
  OnnxWriter network("points");
  network.input("input", {1, 3, 256, 256});
  network.node("GlobalAveragePool", "mean", {"input"});
  network.initializer("nothing", Tensor(DType::f32, {196, 3, 1, 1}));
  network.initializer("shape", Tensor::of<int64_t>({3}, {1, 98, 2}));
  for (const auto& [name, place] : outputs) {
    Tensor bias(DType::f32, {196});
    std::ranges::fill(bias.as<float>(), place);
    network.initializer(name + ".bias", bias);
    network.node("Conv", name + ".conv", {"mean", "nothing", name + ".bias"});
    network.node("Reshape", name, {name + ".conv", "shape"});
    network.output(name, {1, 98, 2});
  }
  return network.serialise().value();
}

TEST(Landmarker, OfSeveralStacksTheLastOnesPointsAreTaken) {
  const std::string path = testing::TempDir() + "vultus-stacks.onnx";
  write_file(path, {points_at({{"first", -0.5f}, {"last", 0.5f}})}).value();
  auto cpu = open_cpu(1).value();
  auto landmarker = Landmarker::open(path, LandmarkerKind::star98, {{cpu.get()}, Precision::fp32});
  ASSERT_TRUE(landmarker) << landmarker.error().what;
  auto points = (*landmarker)->measure(cv::Mat::zeros(200, 200, CV_8UC3), {50, 50, 150, 150});
  ASSERT_TRUE(points) << points.error().what;
  // A quarter of the crop's side, 105 pixels, from the centre at 100.
  EXPECT_NEAR(points->points[0].x, 100 + 105.0 / 4, 1e-3);
  std::filesystem::remove(path);
}

// Each face's mean of a crop of one colour is its points' place.
TEST(Landmarker, FacesOfSeveralFramesGoTogetherAndFillTheLastPass) {
  OnnxWriter network("place");
  network.input("input", {1, 3, 112, 112});
  network.node("GlobalAveragePool", "mean", {"input"});
  Tensor weights(DType::f32, {196, 3, 1, 1});
  for (size_t i = 0; i < 196; ++i)
    weights.as<float>()[3 * i] = 0.5f;
  network.initializer("weights", weights);
  network.node("Conv", "points", {"mean", "weights"});
  network.node("Flatten", "landmarks", {"points"});
  network.output("landmarks", {1, 196});
  const std::string path = testing::TempDir() + "vultus-place.onnx";
  write_file(path, {network.serialise().value()}).value();
  auto cpu = open_cpu(1).value();
  auto picture = std::make_shared<Picture>(3);
  auto landmarker =
      Landmarker::open(path, LandmarkerKind::pfld98, {{cpu.get()}, Precision::fp32}, picture);
  ASSERT_TRUE(landmarker) << landmarker.error().what;
  std::vector<cv::Mat> frames;
  for (int red : {0, 120, 255})
    frames.emplace_back(200, 200, CV_8UC3, cv::Scalar(3, 7, red));
  ASSERT_TRUE(picture->show(frames));
  const Box box{50, 50, 150, 150};
  const std::vector<Landmarker::Face> faces{{2, box}, {0, box}, {1, box}, {1, box}, {2, box}};
  auto found = (*landmarker)->measure(faces);
  ASSERT_TRUE(found) << found.error().what;
  ASSERT_EQ(found->size(), faces.size());
  for (size_t i = 0; i < faces.size(); ++i) {
    const double red = std::array{0.0, 120.0, 255.0}[faces[i].frame];
    const double place = 0.5 * (red / 127.5 - 1), side = (*landmarker)->square(box).side;
    for (const Point& p : (*found)[i].points)
      EXPECT_NEAR(p.x, 100 + (place - 0.5) * side, 1e-3) << i;
  }
  EXPECT_TRUE((*landmarker)->measure(std::span<const Landmarker::Face>()).value().empty());
  const Landmarker::Face missing{3, box};
  EXPECT_EQ((*landmarker)->measure(std::span(&missing, 1)).error().code, Errc::usage);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace vultus::face
