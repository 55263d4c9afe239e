#include <gtest/gtest.h>

#include <random>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

void expect_concat(Device& device, const std::vector<Shape>& shapes, int64_t axis,
                   bool first_constant = false) {
  test::OpCase what{.op = "Concat", .attributes = {{"axis", axis}}};
  std::vector<Tensor> parts;
  for (const Shape& shape : shapes) {
    parts.push_back(test::random_halves(shape, static_cast<uint32_t>(parts.size())));
    what.operands.push_back({parts.back().clone(), first_constant && parts.size() == 1});
  }
  auto along = static_cast<size_t>(axis < 0 ? axis + shapes[0].rank() : axis);
  what.tolerance_fp32 = what.tolerance_fp16 = 0;  // a copy
  test::expect_op(device, what, [&](size_t, test::Index index) {
    size_t i = 0;
    while (index[along] >= shapes[i][static_cast<int>(along)])
      index[along] -= shapes[i++][static_cast<int>(along)];
    return test::element(parts[i], index);
  });
}

TEST(GpuConcat, ChannelsAtMultiplesOfEightAndNot) {
  VULTUS_NEED_GPU(device);
  expect_concat(device, {{1, 16, 3, 5}, {1, 8, 3, 5}, {1, 5, 3, 5}}, 1);
  expect_concat(device, {{2, 3, 3, 5}, {2, 1, 3, 5}, {2, 1, 3, 5}, {2, 1, 3, 5}}, 1);
  expect_concat(device, {{1, 40, 4, 4}, {1, 100, 4, 4}, {1, 60, 4, 4}}, -3);
}

TEST(GpuConcat, AConstantPartIsReadAsItLies) {
  VULTUS_NEED_GPU(device);
  expect_concat(device, {{1, 2, 6, 4}, {1, 16, 6, 4}, {1, 1, 6, 4}}, 1, true);
}

TEST(GpuConcat, OtherAxesKeepPaddingLanesZero) {
  VULTUS_NEED_GPU(device);
  for (int64_t axis : {0, 2, 3}) {
    Shape a{2, 5, 3, 4}, b{2, 5, 3, 4};
    b[static_cast<int>(axis)] = 6;
    expect_concat(device, {a, b}, axis);
  }
}

TEST(GpuConcat, DetectorHeadsAlongAxisOne) {
  VULTUS_NEED_GPU(device);
  expect_concat(device, {{1, 60, 4}, {1, 15, 4}, {1, 6, 4}}, 1);
  expect_concat(device, {{1, 9, 2}, {1, 9, 2}}, 2);
  expect_concat(device, {{2, 5}, {2, 11}}, 1);
}

TEST(GpuConcat, RandomShapesMatchTheReference) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 1; seed < 9; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 engine(seed);
    auto size = [&] { return static_cast<int64_t>(1 + engine() % 20); };
    Shape shape{1, size(), size(), size()};
    int64_t axis = static_cast<int64_t>(engine() % 4);
    std::vector<Shape> shapes;
    for (int i = 0; i < 3; ++i) {
      shapes.push_back(shape);
      shapes.back()[static_cast<int>(axis)] = size();
    }
    expect_concat(device, shapes, axis);
  }
}

TEST(GpuConcat, IntegersAreCopiedWhole) {
  VULTUS_NEED_GPU(device);
  Tensor a = test::random_integers({2, 3}, 1, -2000000000, 2000000000);
  Tensor b = test::random_integers({2, 2}, 2, -2000000000, 2000000000);
  test::OpCase what{.op = "Concat", .attributes = {{"axis", int64_t{1}}}};
  what.operands.push_back({a.clone()});
  what.operands.push_back({b.clone()});
  test::expect_op(device, what, [&](size_t, const test::Index& i) {
    return i[1] < 3 ? test::element(a, i) : test::element(b, {i[0], i[1] - 3});
  });
}

}  // namespace
}  // namespace vultus
