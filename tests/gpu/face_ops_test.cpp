// The operators between the face networks on a GPU against their plain kernels.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "host/ops/faces.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus::test {
namespace {

Tensor random_floats(const Shape& shape, std::mt19937& engine, float low, float high) {
  Tensor t(DType::f32, shape);
  std::uniform_real_distribution<float> any(low, high);
  for (float& v : t.as<float>())
    v = any(engine);
  return t;
}

/// Coordinates are no halves: they must come through fp16 unharmed.
void expect_same(Device& gpu, const std::string& op, const Attributes& attributes,
                 const std::vector<Tensor>& inputs, size_t outputs, double tolerance) {
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu) << cpu.error().what;
  std::vector<Operand> operands;
  std::vector<const Tensor*> given;
  for (const Tensor& t : inputs) {
    operands.push_back({t.clone()});
    given.push_back(&t);
  }
  auto graph = single_node(op, attributes, operands, outputs);
  ASSERT_TRUE(graph) << graph.error().what;
  auto expected = run_on(**cpu, *graph, given);
  ASSERT_TRUE(expected) << expected.error().what;
  for (Precision precision : {Precision::fp32, Precision::fp16}) {
    SCOPED_TRACE(name_of(precision));
    auto got = run_on(gpu, *graph, given, precision);
    ASSERT_TRUE(got) << got.error().what;
    for (size_t i = 0; i < outputs; ++i)
      for (size_t k = 0; k < (*expected)[i].as<float>().size(); ++k)
        ASSERT_NEAR((*got)[i].as<float>()[k], (*expected)[i].as<float>()[k], tolerance)
            << "output " << i << ", " << k;
  }
}

Tensor random_rows(std::mt19937& engine, int64_t most, size_t faces) {
  Tensor rows = random_floats({most, 16}, engine, 0, 1);
  auto v = rows.as<float>();
  for (size_t r = 0; r < static_cast<size_t>(most); ++r) {
    const float x = 100 * v[16 * r], y = 100 * v[16 * r + 1];
    v[16 * r] = x;
    v[16 * r + 1] = y;
    v[16 * r + 2] = x + 40 + 60 * v[16 * r + 2];
    v[16 * r + 3] = y + 40 + 60 * v[16 * r + 3];
    v[16 * r + 15] = r < faces ? 7.0f : -1.0f;
  }
  return rows;
}

TEST(GpuFaceFollow, FindsWhatTheCpuFinds) {
  VULTUS_NEED_GPU(device);
  std::mt19937 engine(5);
  size_t found = 0;
  for (size_t trial = 0; trial < 60; ++trial) {
    std::vector<Tensor> inputs;
    inputs.push_back(random_rows(engine, 36, trial % 7));
    Tensor region(DType::f32, {1, 5});
    const float side = static_cast<float>(96 + engine() % 900);
    std::ranges::copy(std::array{static_cast<float>(engine() % 1500) + side / 2,
                                 static_cast<float>(engine() % 900) + side / 2, side, side, 3.0f},
                      region.as<float>().begin());
    Tensor before = random_floats({1, kFaceRow}, engine, 0, 1);
    auto b = before.as<float>();
    const auto r = region.as<float>();
    b[0] = r[0] - side * (0.2f + 0.1f * b[0]);
    b[1] = r[1] - side * (0.2f + 0.1f * b[1]);
    b[2] = r[0] + side * (0.2f + 0.1f * b[2]);
    b[3] = r[1] + side * (0.2f + 0.1f * b[3]);
    b[5] = trial % 11 == 0 ? 0.0f : 1.0f;
    for (size_t k = 6; k < 16; ++k)  // about where the rows have theirs
      b[k] = r[k % 2] + side * (0.5f * b[k] - 0.25f);
    inputs.push_back(std::move(region));
    inputs.push_back(std::move(before));
    inputs.push_back(Tensor::of<int32_t>({2}, {1080, 1920}));
    auto cpu = open_cpu(1).value();
    std::vector<Operand> operands;
    std::vector<const Tensor*> given;
    for (const Tensor& t : inputs) {
      operands.push_back({t.clone()});
      given.push_back(&t);
    }
    const std::map<std::string, Attribute, std::less<>> follow{
        {"pixels", int64_t{192}}, {"overlap", 0.3f}, {"per_side", 2.0f}, {"smallest", 96.0f}};
    auto graph = single_node("FaceFollow", follow, operands, 2);
    found += run_on(*cpu, *graph, given).value()[0].as<float>()[5] > 0 ? 1 : 0;
    expect_same(device, "FaceFollow", follow, inputs, 2, 1e-2);
    if (HasFatalFailure()) FAIL() << "trial " << trial;
  }
  EXPECT_GT(found, 15u);
  EXPECT_LT(found, 50u);
}

TEST(GpuFaceCrops, AreThoseOfTheCpuForEveryNumberOfFaces) {
  VULTUS_NEED_GPU(device);
  std::mt19937 engine(6);
  for (int64_t faces : {int64_t{1}, int64_t{2}, int64_t{7}, kMostFaces})
    for (const char* side : {"shorter", "longer", "height"}) {
      std::vector<Tensor> inputs;
      inputs.push_back(Tensor::of<int32_t>({2}, {1080, 1920}));
      for (int64_t i = 0; i < faces; ++i) {
        Tensor face = random_floats({1, kFaceRow}, engine, -200, 1200);
        auto v = face.as<float>();
        v[2] = v[0] + std::abs(v[2]);
        v[3] = v[1] + std::abs(v[3]);
        inputs.push_back(std::move(face));
      }
      expect_same(device, "FaceCrops", {{"side", std::string(side)}, {"per_side", 1.05f}}, inputs,
                  2, 1e-3);
    }
}

TEST(GpuFaceMirrors, SmoothsThroughTheFramesAsTheCpuDoes) {
  VULTUS_NEED_GPU(device);
  std::mt19937 engine(7);
  for (int64_t points : {4, 68, 98, 128})
    for (int64_t faces : {1, 3, 8})
      for (bool has_state : {false, true}) {
        SCOPED_TRACE(std::to_string(points) + " points, " + std::to_string(faces) + " faces");
        std::vector<Tensor> inputs;
        const Tensor face = random_floats({points, 2}, engine, 0.1f, 0.9f);
        Tensor values = random_floats({faces, points, 2}, engine, -0.02f, 0.02f);
        for (size_t i = 0; i < values.as<float>().size(); ++i)
          values.as<float>()[i] += face.as<float>()[i % static_cast<size_t>(2 * points)];
        Tensor squares = random_floats({faces, 5}, engine, 480, 520);
        Tensor areas = random_floats({kFacePictures * faces, 5}, engine, 480, 520);
        Tensor state(DType::f32, {1 + 2 * points, 2});
        auto s = state.as<float>();
        std::ranges::fill(s, 0.0f);
        s[0] = has_state ? 1.0f : 0.0f;
        for (size_t i = 0; i < static_cast<size_t>(4 * points); ++i)
          s[2 + i] = 250 + 500 * face.as<float>()[i % static_cast<size_t>(2 * points)];
        inputs.push_back(std::move(values));
        inputs.push_back(std::move(squares));
        inputs.push_back(std::move(areas));
        inputs.push_back(std::move(state));
        expect_same(device, "FaceMirrors",
                    {{"points", points},
                     {"bias", -0.5f},
                     {"slowest", 0.2f},
                     {"expression", 0.05f},
                     {"eyes", std::vector<int64_t>{0, 2, 2, 2}},
                     {"middle", std::vector<int64_t>{0, 1, 2}}},
                    inputs, 1, 0.02);
        if (HasFatalFailure()) return;
      }
}

}  // namespace
}  // namespace vultus::test
