#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "tests/support/gpu.hpp"
#include "tests/support/picture.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {
namespace {

using Attributes = std::map<std::string, Attribute, std::less<>>;

struct Crops {
  int height = 0, width = 0;  ///< of the picture
  Attributes attributes = {};
  std::vector<float> rectangles = {};
  double tolerance = 0;  ///< in grey levels
  int64_t spare = 0;
  std::vector<float> mirrors = {};
  int pictures = 1;  ///< where more, rectangles have the number of theirs
};

Result<Graph> crop_graph(const Attributes& attributes, const std::vector<const Tensor*>& inputs) {
  std::vector<Operand> operands;
  for (const Tensor* tensor : inputs)
    operands.push_back({tensor->clone()});
  return single_node("CropWarp", attributes, operands);
}

/// The GPU's kernel against the CPU's, in both precisions.
void expect_same_crops(Device& gpu, const Crops& crops) {
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu) << cpu.error().what;
  const Tensor picture = random_pictures(crops.pictures, crops.height, crops.width, 7, crops.spare);
  const Tensor size = picture_size(crops.height, crops.width);
  const int64_t columns = crops.pictures > 1 ? 5 : 4;
  const auto count = static_cast<int64_t>(crops.rectangles.size()) / columns;
  const Tensor rectangles = Tensor::of<float>({count, columns}, std::span(crops.rectangles));
  std::vector<const Tensor*> inputs{&picture, &size, &rectangles};
  Tensor mirrors;
  if (!crops.mirrors.empty()) {
    mirrors = Tensor::of<float>({count, 5}, std::span(crops.mirrors));
    inputs.push_back(&mirrors);
  }
  auto graph = crop_graph(crops.attributes, inputs);
  ASSERT_TRUE(graph) << graph.error().what;
  Support support = gpu.supports(*graph, graph->nodes[0], Precision::fp16);
  ASSERT_TRUE(support.ok) << support.reason;
  auto expected = run_on(**cpu, *graph, inputs);
  ASSERT_TRUE(expected) << expected.error().what;
  for (Precision precision : {Precision::fp32, Precision::fp16}) {
    auto got = run_on(gpu, *graph, inputs, precision);
    ASSERT_TRUE(got) << got.error().what;
    const double storage = precision == Precision::fp16 ? 0.13 : 0;  // half a step below 256
    double worst = 0;
    for (size_t i = 0; i < (*got)[0].as<float>().size(); ++i) {
      const double difference =
          std::abs(double{(*got)[0].as<float>()[i]} - double{(*expected)[0].as<float>()[i]});
      worst = std::isnan(difference) ? 1e9 : std::max(worst, difference);
    }
    EXPECT_LE(worst, crops.tolerance + storage) << name_of(precision);
  }
}

Attributes sized(int64_t height, int64_t width, const char* filter = "bilinear") {
  return {{"height", height}, {"width", width}, {"filter", std::string(filter)}};
}

TEST(GpuCropWarp, EqualsTheCpuOnRandomRectanglesInsideAndAcrossTheBorder) {
  VULTUS_NEED_GPU(device);
  std::mt19937 engine(1);
  auto uniform = [&](double low, double high) {
    return static_cast<float>(std::uniform_real_distribution<double>(low, high)(engine));
  };
  for (int round = 0; round < 24; ++round) {
    SCOPED_TRACE(round);
    Crops crops;
    crops.height = 1 + static_cast<int>(engine() % 90);
    crops.width = 1 + static_cast<int>(engine() % 131);
    crops.spare = static_cast<int64_t>(engine() % 3) * 5;
    crops.attributes =
        sized(1 + static_cast<int64_t>(engine() % 40), 1 + static_cast<int64_t>(engine() % 50),
              round % 3 == 0 ? "area" : "bilinear");
    if (round % 3 == 1) crops.attributes["grid"] = std::string("corners");
    const char* channels[] = {"bgr", "rgb", "grey"};
    crops.attributes["channels"] = std::string(channels[round / 3 % 3]);
    for (int i = 0; i < 1 + round % 4; ++i) {
      crops.rectangles.push_back(uniform(-20, crops.width + 20));
      crops.rectangles.push_back(uniform(-20, crops.height + 20));
      crops.rectangles.push_back(uniform(0.5, 200));
      crops.rectangles.push_back(uniform(0.5, 200));
    }
    crops.tolerance = 0.02;  // 255 times a few units of the 24th bit of 200
    expect_same_crops(device, crops);
  }
}

TEST(GpuCropWarp, PicturesOfOnePixelAndOddRows) {
  VULTUS_NEED_GPU(device);
  for (const char* filter : {"bilinear", "area"})
    for (auto [height, width] : {std::pair{1, 1}, {1, 7}, {5, 1}, {3, 3}, {2, 5}}) {
      SCOPED_TRACE(std::string(filter) + std::to_string(width));
      expect_same_crops(device, {height,
                                 width,
                                 sized(height, width, filter),
                                 {float(width) / 2, float(height) / 2, float(width), float(height)},
                                 0});
      expect_same_crops(device,
                        {height, width, sized(9, 4, filter), {0.3f, 0.6f, 14.5f, 23.0f}, 5e-4});
    }
}

TEST(GpuCropWarp, FarOutsideHugeAndNotANumberReadNothingOutOfBounds) {
  VULTUS_NEED_GPU(device);
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  std::vector<float> rectangles = {};
  for (float bad : {nan, infinity, -infinity, 3e38f, -3e38f, 1e9f, -1e9f, 2147483648.0f, 1e-38f})
    for (size_t k = 0; k < 4; ++k) {
      std::array<float, 4> rectangle{6, 5, 9, 8};
      // A width of next to nothing is fine, and so is a very large one, but they tell the same
      // only where all of the crop is in one place.
      if (k >= 2 && std::abs(bad) > 1e-30f && std::isfinite(bad)) rectangle = {-60, -60, 1, 1};
      rectangle[k] = bad;
      rectangles.insert(rectangles.end(), rectangle.begin(), rectangle.end());
    }
  for (const char* filter : {"bilinear", "area"})
    expect_same_crops(device, {11, 13, sized(6, 5, filter), rectangles, 5e-3});
}

TEST(GpuCropWarp, EachRectangleIsOfItsPictureAndNoneOfOneThatIsNotThere) {
  VULTUS_NEED_GPU(device);
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  // Odd sizes, so that pictures begin at any byte; pieces of one more behind them.
  for (auto [height, width] : {std::pair{13, 11}, {1, 1}, {7, 30}})
    for (const char* filter : {"bilinear", "area"})
      for (bool mirrored : {false, true}) {
        SCOPED_TRACE(std::string(filter) + std::to_string(width));
        Crops crops{.height = height, .width = width, .attributes = sized(6, 5, filter)};
        crops.pictures = 5;
        crops.spare = int64_t{3} * height * width - 1;
        const auto h = static_cast<float>(height), w = static_cast<float>(width);
        for (float number : {4.0f, 0.0f, 2.0f, 3.5f, -1.0f, -0.25f, 5.0f, 1e9f, 3e38f, -3e38f, nan,
                             infinity, -infinity}) {
          crops.rectangles.insert(crops.rectangles.end(), {w / 2, h / 2, w, h + 1, number});
          if (mirrored) crops.mirrors.insert(crops.mirrors.end(), {w / 3, h / 2, 0.6f, 0.8f, 1});
        }
        crops.tolerance = mirrored ? 1.01 : 0.02;
        expect_same_crops(device, crops);
      }
}

TEST(GpuCropWarp, MirrorsAsTheCpuDoes) {
  VULTUS_NEED_GPU(device);
  std::mt19937 engine(3);
  auto uniform = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(engine);
  };
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE(round);
    Crops crops{.height = 40 + round, .width = 61 + 3 * round};
    crops.attributes = sized(23, 20, round % 2 == 0 ? "area" : "bilinear");
    for (int side : {0, 1, -1}) {
      const double angle = uniform(0, 6.3);
      for (double v :
           {uniform(0, crops.width), uniform(0, crops.height), uniform(10, 80), uniform(10, 60)})
        crops.rectangles.push_back(static_cast<float>(v));
      for (double v : {uniform(-5, crops.width), uniform(-5, crops.height), std::cos(angle),
                       std::sin(angle), double(side)})
        crops.mirrors.push_back(static_cast<float>(v));
    }
    // Rounding to 8 bits may fall the other way in a pixel.
    crops.tolerance = 1.01;
    expect_same_crops(device, crops);
  }
}

TEST(GpuCropWarp, LinesThatAreNotNumbersOrFarAwayReadNothingOutOfBounds) {
  VULTUS_NEED_GPU(device);
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  Crops crops{.height = 11, .width = 13, .attributes = sized(6, 5), .tolerance = 1.01};
  for (float bad : {nan, infinity, -infinity, 3e38f, 1e6f, -1e6f})
    for (size_t k = 0; k < 5; ++k) {
      // Far away a reflection is the border's pixel; a normal is of length 1 or of no use at all.
      if ((k == 2 || k == 3) && std::isfinite(bad)) continue;
      std::array<float, 5> line{6, 5, 0.6f, 0.8f, 1};
      line[k] = bad;
      crops.mirrors.insert(crops.mirrors.end(), line.begin(), line.end());
      crops.rectangles.insert(crops.rectangles.end(), {6, 5, 9, 8});
    }
  expect_same_crops(device, crops);
}

TEST(GpuCropWarp, KeepsFractionsOfPixelsFarFromTheOrigin) {
  VULTUS_NEED_GPU(device);
  Crops crops{9, 8000, sized(8, 8), {}, 5e-4};
  for (float x : {10.25f, 4000.125f, 7990.3125f})
    crops.rectangles.insert(crops.rectangles.end(), {x, 4.5f, 6, 6});
  expect_same_crops(device, crops);
}

TEST(GpuCropWarp, ConstantsAreReadAsTheyAre) {
  VULTUS_NEED_GPU(device);
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu) << cpu.error().what;
  const Tensor picture = random_picture(40, 50, 3), size = picture_size(40, 50),
               rectangles = Tensor::of<float>({1, 4}, {20.37f, 15.61f, 10.3f, 9.7f}),
               mirrors = Tensor::of<float>({1, 5}, {20.3f, 15, 1, 0, 1});
  const std::vector<const Tensor*> all{&picture, &size, &rectangles, &mirrors};
  auto plain = crop_graph(sized(8, 8), all);
  ASSERT_TRUE(plain) << plain.error().what;
  auto expected = run_on(**cpu, *plain, all);
  ASSERT_TRUE(expected) << expected.error().what;
  for (size_t constant = 0; constant < all.size(); ++constant)
    for (Precision precision : {Precision::fp32, Precision::fp16}) {
      SCOPED_TRACE(std::to_string(constant) + " in " + std::string(name_of(precision)));
      std::vector<Operand> operands;
      std::vector<const Tensor*> inputs;
      for (size_t i = 0; i < all.size(); ++i) {
        operands.push_back({all[i]->clone(), i == constant});
        if (i != constant) inputs.push_back(all[i]);
      }
      auto graph = single_node("CropWarp", sized(8, 8), operands);
      ASSERT_TRUE(graph) << graph.error().what;
      auto got = run_on(device, *graph, inputs, precision);
      ASSERT_TRUE(got) << got.error().what;
      for (size_t i = 0; i < (*got)[0].as<float>().size(); ++i)
        ASSERT_NEAR((*got)[0].as<float>()[i], (*expected)[0].as<float>()[i],
                    precision == Precision::fp16 ? 0.13 : 0.01);
    }
}

TEST(GpuCropWarp, ASizeThatTheBufferDoesNotHoldGivesZeros) {
  VULTUS_NEED_GPU(device);
  const Tensor picture = random_picture(4, 5, 1),
               rectangles = Tensor::of<float>({1, 4}, {2, 2, 4, 4});
  for (auto [height, width] : {std::pair{5, 5},
                               {-1, 5},
                               {4, -5},
                               {2147483647, 2147483647},
                               {1, 2147483647},
                               {65536, 65536},
                               {0, 0}}) {
    const Tensor size = picture_size(height, width);
    auto graph = crop_graph(sized(3, 3), {&picture, &size, &rectangles});
    ASSERT_TRUE(graph) << graph.error().what;
    auto got = run_on(device, *graph, {&picture, &size, &rectangles});
    ASSERT_TRUE(got) << got.error().what;
    for (float v : (*got)[0].as<float>())
      EXPECT_EQ(v, 0) << height << " " << width;
  }
}

}  // namespace
}  // namespace vultus::test
