#include <gtest/gtest.h>

#include <limits>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

using Integers = std::vector<int64_t>;

Tensor list(const Integers& values) {
  return Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values);
}

/// `first`: where each axis really starts, `step`: how it goes on.
void expect_slice(Device& device, const Shape& shape, const Integers& starts, const Integers& ends,
                  const Integers& axes, const Integers& steps, const Integers& first) {
  Tensor x = test::random_halves(shape, 1);
  test::OpCase what{.op = "Slice"};
  what.operands.push_back({x.clone()});
  for (const Integers& l : {starts, ends, axes, steps})
    what.operands.push_back(test::constant(list(l)));
  what.tolerance_fp32 = what.tolerance_fp16 = 0;  // a copy
  test::expect_op(device, what, [&](size_t, test::Index index) {
    for (size_t i = 0; i < axes.size(); ++i) {
      auto d = static_cast<size_t>(axes[i] < 0 ? axes[i] + shape.rank() : axes[i]);
      index[d] = first[i] + index[d] * steps[i];
    }
    return test::element(x, index);
  });
}

TEST(GpuSlice, ChannelsFromAnyOffset) {
  VULTUS_NEED_GPU(device);
  const Shape shape{2, 21, 3, 5};
  expect_slice(device, shape, {8}, {21}, {1}, {1}, {8});
  expect_slice(device, shape, {8}, {12}, {1}, {1}, {8});
  expect_slice(device, shape, {0}, {16}, {1}, {1}, {0});
  expect_slice(device, shape, {-1}, {std::numeric_limits<int64_t>::max()}, {1}, {1}, {20});
  expect_slice(device, shape, {3}, {20}, {-3}, {2}, {3});
}

TEST(GpuSlice, PixelsAndNegativeSteps) {
  VULTUS_NEED_GPU(device);
  expect_slice(device, {1, 9, 8, 7}, {1, 6}, {7, -8}, {2, 3}, {2, -1}, {1, 6});
  expect_slice(device, {1, 9, 8, 7}, {8}, {std::numeric_limits<int64_t>::min()}, {1}, {-3}, {8});
  expect_slice(device, {1, 50, 4}, {2}, {100}, {2}, {1}, {2});
  expect_slice(device, {4, 6}, {1}, {2}, {0}, {std::numeric_limits<int64_t>::max()}, {1});
}

TEST(GpuSlice, OldModelsGiveAttributes) {
  VULTUS_NEED_GPU(device);
  Tensor x = test::random_halves({1, 12, 2, 3}, 1);
  test::OpCase what{
      .op = "Slice",
      .attributes = {{"starts", Integers{2}}, {"ends", Integers{9}}, {"axes", Integers{1}}},
      .opset = 9};
  what.operands.push_back({x.clone()});
  test::expect_op(device, what, [&](size_t, const test::Index& i) {
    return test::element(x, {i[0], i[1] + 2, i[2], i[3]});
  });
}

}  // namespace
}  // namespace vultus
