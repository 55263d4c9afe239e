#include <gtest/gtest.h>

#include <cmath>

#include "tests/gpu/lanes.hpp"
#include "tests/ops/run_op.hpp"

namespace vultus {
namespace {

struct Case {
  Shape in;
  int64_t out_h = 1, out_w = 1;
  std::string mode = "nearest", coordinates = "half_pixel", nearest = "round_prefer_floor";
  bool by_scale = false;
};

double source(const Case& c, int64_t i, int64_t in, int64_t out) {
  const double x = static_cast<double>(i);
  const double scale = static_cast<double>(out) / static_cast<double>(in);
  if (c.coordinates == "asymmetric") return x / scale;
  if (c.coordinates == "align_corners")
    return out == 1 ? 0 : x * static_cast<double>(in - 1) / static_cast<double>(out - 1);
  if (c.coordinates == "pytorch_half_pixel" && out == 1) return 0;
  return (x + 0.5) / scale - 0.5;
}

double rounded(const Case& c, double x) {
  if (c.nearest == "floor") return std::floor(x);
  if (c.nearest == "ceil") return std::ceil(x);
  return c.nearest == "round_prefer_ceil" ? std::floor(x + 0.5) : std::ceil(x - 0.5);
}

double sampled(const Case& c, const Tensor& x, const test::Index& i) {
  const double last_y = static_cast<double>(c.in[2] - 1), last_x = static_cast<double>(c.in[3] - 1);
  double y = source(c, i[2], c.in[2], c.out_h), column = source(c, i[3], c.in[3], c.out_w);
  auto at = [&](double row, double col) {
    return test::element(x, {i[0], i[1], static_cast<int64_t>(std::clamp(row, 0.0, last_y)),
                             static_cast<int64_t>(std::clamp(col, 0.0, last_x))});
  };
  if (c.mode == "nearest") return at(rounded(c, y), rounded(c, column));
  y = std::clamp(y, 0.0, last_y);
  column = std::clamp(column, 0.0, last_x);
  const double row = std::floor(y), col = std::floor(column), dy = y - row, dx = column - col;
  return (1 - dy) * ((1 - dx) * at(row, col) + dx * at(row, col + 1)) +
         dy * ((1 - dx) * at(row + 1, col) + dx * at(row + 1, col + 1));
}

void expect_resize(Device& device, const Case& c) {
  SCOPED_TRACE(c.in.str() + " " + c.mode + " " + c.coordinates + " " + c.nearest);
  test::OpCase what{.op = "Resize"};
  what.attributes = {{"mode", c.mode},
                     {"coordinate_transformation_mode", c.coordinates},
                     {"nearest_mode", c.nearest}};
  what.operands.push_back({test::random_halves(c.in, 1)});
  what.operands.emplace_back();
  if (c.by_scale) {
    what.operands.push_back(test::constant(
        Tensor::of<float>({4}, {1, 1, static_cast<float>(c.out_h) / static_cast<float>(c.in[2]),
                                static_cast<float>(c.out_w) / static_cast<float>(c.in[3])})));
  } else {
    what.operands.emplace_back();
    what.operands.push_back(
        test::constant(Tensor::of<int64_t>({4}, {c.in[0], c.in[1], c.out_h, c.out_w})));
  }
  std::vector<double> expected;
  test::for_each({c.in[0], c.in[1], c.out_h, c.out_w}, [&](const test::Index& i) {
    expected.push_back(sampled(c, what.operands[0].tensor, i));
  });
  test::expect_lanes(device, what, expected);
}

TEST(GpuResize, NearestInEveryModeMatchesTheReference) {
  VULTUS_NEED_GPU(device);
  for (const char* coordinates :
       {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"})
    for (const char* nearest : {"floor", "ceil", "round_prefer_floor", "round_prefer_ceil"}) {
      expect_resize(device, {{2, 9, 4, 5}, 8, 10, "nearest", coordinates, nearest});
      // Ratios of powers of two: exact in float, so both sides round alike.
      expect_resize(device, {{1, 3, 8, 16}, 4, 4, "nearest", coordinates, nearest});
    }
  expect_resize(device, {{1, 128, 4, 4}, 8, 8, "nearest", "asymmetric", "floor", true});
}

TEST(GpuResize, LinearInEveryModeMatchesTheReference) {
  VULTUS_NEED_GPU(device);
  for (const char* coordinates :
       {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}) {
    expect_resize(device, {{2, 9, 4, 5}, 8, 10, "linear", coordinates});
    expect_resize(device, {{1, 17, 7, 9}, 13, 4, "linear", coordinates});
    expect_resize(device, {{1, 3, 6, 6}, 1, 1, "linear", coordinates});
    expect_resize(device, {{1, 3, 1, 1}, 5, 3, "linear", coordinates});
  }
}

TEST(GpuResize, UpsampleOfOldModelsRepeatsPixels) {
  VULTUS_NEED_GPU(device);
  test::OpCase what{.op = "Upsample", .attributes = {{"mode", std::string("nearest")}}, .opset = 9};
  what.operands.push_back({test::random_halves({1, 5, 3, 4}, 1)});
  what.operands.push_back(test::constant(Tensor::of<float>({4}, {1, 1, 2, 3})));
  std::vector<double> expected;
  test::for_each({1, 5, 6, 12}, [&](const test::Index& i) {
    expected.push_back(test::element(what.operands[0].tensor, {0, i[1], i[2] / 2, i[3] / 3}));
  });
  test::expect_lanes(device, what, expected);
}

/// Against the plain kernel, which tests/ops compares with the specification.
void expect_like_plain(Device& device, test::Attributes attributes, int64_t out_h, int64_t out_w) {
  const Shape in{2, 9, 7, 11};
  test::OpCase what{.op = "Resize", .attributes = std::move(attributes)};
  what.operands.push_back({test::random_halves(in, 1)});
  what.operands.push_back(
      test::constant(Tensor::of<float>({8}, {0, 0, 0.1f, -0.3f, 1, 1, 0.8f, 1.2f})));
  what.operands.emplace_back();
  what.operands.push_back(test::constant(Tensor::of<int64_t>({4}, {in[0], in[1], out_h, out_w})));
  auto plain = test::run_op(what.op, what.attributes, what.operands);
  ASSERT_TRUE(plain) << plain.error().what;
  auto values = plain->at(0).as<float>();
  test::expect_lanes(device, what, {values.begin(), values.end()});
}

TEST(GpuResize, WeightedSumsMatchThePlainKernel) {
  VULTUS_NEED_GPU(device);
  const std::string crop = "tf_crop_and_resize";
  const std::vector<test::Attributes> all = {
      {{"mode", std::string("cubic")}},
      {{"mode", std::string("cubic")}, {"exclude_outside", int64_t{1}}, {"cubic_coeff_a", -0.5f}},
      {{"mode", std::string("cubic")}, {"antialias", int64_t{1}}},
      {{"mode", std::string("linear")}, {"antialias", int64_t{1}}},
      {{"mode", std::string("linear")},
       {"coordinate_transformation_mode", crop},
       {"extrapolation_value", 3.0f}},
      {{"coordinate_transformation_mode", crop}, {"extrapolation_value", -2.0f}}};
  for (const test::Attributes& attributes : all) {
    expect_like_plain(device, attributes, 3, 4);
    expect_like_plain(device, attributes, 13, 5);
  }
}

TEST(GpuResize, OtherAxesAreRefusedWithAReason) {
  VULTUS_NEED_GPU(device);
  std::vector<test::Operand> operands;
  operands.push_back({Tensor(DType::f32, {1, 2, 4, 4})});
  operands.emplace_back();
  operands.push_back(test::constant(Tensor::of<float>({4}, {1, 2, 2, 2})));
  auto graph = test::single_node("Resize", {}, operands);
  ASSERT_TRUE(graph) << graph.error().what;
  EXPECT_TRUE(test::contains(device.supports(*graph, graph->nodes[0], Precision::fp16).reason,
                             "H and W only"));
}

}  // namespace
}  // namespace vultus
