#include "models/face/landmarker.hpp"

#include <gtest/gtest.h>

#include <algorithm>
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

}  // namespace
}  // namespace vultus::face
