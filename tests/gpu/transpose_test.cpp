#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

void expect_transpose(Device& device, const Shape& shape, const std::vector<int64_t>& perm) {
  SCOPED_TRACE(shape.str() + " " + ::testing::PrintToString(perm));
  Tensor x = test::random_halves(shape, 1);
  test::OpCase what{.op = "Transpose", .attributes = {{"perm", perm}}};
  what.operands.push_back({x.clone()});
  what.tolerance_fp32 = what.tolerance_fp16 = 0;  // a copy
  test::expect_op(device, what, [&](size_t, const test::Index& i) {
    test::Index from(i.size());
    for (size_t d = 0; d < i.size(); ++d)
      from[static_cast<size_t>(perm[d])] = i[d];
    return test::element(x, from);
  });
}

TEST(GpuTranspose, EveryOrderOfFourAxes) {
  VULTUS_NEED_GPU(device);
  std::vector<int64_t> perm{0, 1, 2, 3};
  do
    expect_transpose(device, {2, 11, 3, 5}, perm);
  while (std::next_permutation(perm.begin(), perm.end()));
}

TEST(GpuTranspose, DetectorHeads) {
  VULTUS_NEED_GPU(device);
  for (int64_t channels : {1, 2, 4, 8, 12, 20})
    expect_transpose(device, {1, channels, 10, 7}, {0, 2, 3, 1});
}

TEST(GpuTranspose, OtherRanks) {
  VULTUS_NEED_GPU(device);
  expect_transpose(device, {4, 19}, {1, 0});
  expect_transpose(device, {1, 8, 24}, {0, 2, 1});
  expect_transpose(device, {2, 3, 4, 5, 6}, {4, 2, 0, 3, 1});
  expect_transpose(device, {2, 3, 2, 3, 2, 8}, {0, 3, 1, 4, 2, 5});
}

}  // namespace
}  // namespace vultus
