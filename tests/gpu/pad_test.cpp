#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

using Integers = std::vector<int64_t>;

int64_t reflected(int64_t i, int64_t size) {
  i = i < 0 ? -i : i;
  return i < size ? i : 2 * (size - 1) - i;
}

void expect_pad(Device& device, const Shape& shape, const Integers& pads, const std::string& mode,
                float value = 0) {
  SCOPED_TRACE(mode + " " + shape.str() + " " + ::testing::PrintToString(pads));
  Tensor x = test::random_halves(shape, 1);
  test::OpCase what{.op = "Pad", .attributes = {{"mode", mode}}};
  what.operands.push_back({x.clone()});
  what.operands.push_back(
      test::constant(Tensor::of<int64_t>({static_cast<int64_t>(pads.size())}, pads)));
  what.operands.push_back(test::constant(Tensor::of<float>({}, {value})));
  what.tolerance_fp32 = what.tolerance_fp16 = 0;  // a copy
  test::expect_op(device, what, [&](size_t, test::Index i) {
    for (size_t d = 0; d < i.size(); ++d) {
      int64_t size = shape[static_cast<int>(d)];
      i[d] -= pads[d];
      if (mode == "edge") i[d] = std::clamp<int64_t>(i[d], 0, size - 1);
      if (mode == "reflect") i[d] = reflected(i[d], size);
      if (i[d] < 0 || i[d] >= size) return static_cast<double>(value);
    }
    return test::element(x, i);
  });
}

TEST(GpuPad, PixelsInEveryMode) {
  VULTUS_NEED_GPU(device);
  for (const char* mode : {"constant", "edge", "reflect"})
    for (int64_t channels : {8, 11})
      expect_pad(device, {2, channels, 4, 5}, {0, 0, 1, 2, 0, 0, 3, 0}, mode);
  // A constant that is not zero must not reach the padding lanes.
  expect_pad(device, {1, 11, 4, 5}, {0, 0, 1, 2, 0, 0, 3, 0}, "constant", 1.5f);
}

TEST(GpuPad, ChannelsAndOtherRanks) {
  VULTUS_NEED_GPU(device);
  expect_pad(device, {1, 11, 4, 5}, {0, 2, 0, 0, 0, 4, 1, 1}, "constant", -0.5f);
  expect_pad(device, {1, 11, 4, 5}, {0, 2, 0, 0, 0, 4, 1, 1}, "edge");
  expect_pad(device, {7}, {2, 3}, "reflect");
  expect_pad(device, {3, 5, 4}, {1, 0, 2, 0, 3, 1}, "constant");
}

TEST(GpuPad, NegativePadsCrop) {
  VULTUS_NEED_GPU(device);
  expect_pad(device, {1, 11, 6, 5}, {0, 0, -1, 2, 0, 0, -2, -1}, "constant");
  expect_pad(device, {1, 11, 6, 5}, {0, -3, 0, 0, 0, 0, 0, 0}, "constant");
}

}  // namespace
}  // namespace vultus
