#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

/// `joined`: all axes from `axis` on make one row, as before opset 13.
void expect_softmax(Device& device, const std::string& op, const Tensor& x, int64_t axis,
                    bool joined = false) {
  SCOPED_TRACE(op + " " + x.shape().str() + " axis " + std::to_string(axis));
  test::OpCase what{.op = op, .attributes = {{"axis", axis}}, .opset = joined ? 11 : 13};
  what.operands.push_back({x.clone()});
  what.tolerance_fp32 = 1e-5;  // exp of differences up to 20
  auto along = static_cast<size_t>(axis < 0 ? axis + x.shape().rank() : axis);
  Shape row = x.shape();
  for (size_t d = 0; d < static_cast<size_t>(row.rank()); ++d)
    if (joined ? d < along : d != along) row[static_cast<int>(d)] = 1;
  test::expect_op(device, what, [&](size_t, const test::Index& i) {
    double top = -1e300, sum = 0;
    auto visit = [&](auto&& use) {
      test::for_each(row, [&](const test::Index& step) {
        test::Index at = i;
        for (size_t d = 0; d < at.size(); ++d)
          if (row[static_cast<int>(d)] != 1) at[d] = step[d];
        use(test::element(x, at));
      });
    };
    visit([&](double v) { top = std::max(top, v); });
    visit([&](double v) { sum += std::exp(v - top); });
    double shifted = test::element(x, i) - top;
    return op == "Softmax" ? std::exp(shifted) / sum : shifted - std::log(sum);
  });
}

TEST(GpuSoftmax, EveryAxisOfPicturesKeepsPaddingLanesZero) {
  VULTUS_NEED_GPU(device);
  Tensor x = test::random_halves({2, 11, 3, 5}, 1, -10, 10);
  for (const char* op : {"Softmax", "LogSoftmax"})
    for (int64_t axis = 0; axis < 4; ++axis)
      expect_softmax(device, op, x, axis);
}

TEST(GpuSoftmax, DetectorScoresAndOtherRanks) {
  VULTUS_NEED_GPU(device);
  expect_softmax(device, "Softmax", test::random_halves({1, 442, 2}, 1, -10, 10), -1);
  expect_softmax(device, "Softmax", test::random_halves({3, 4, 5}, 2), 1);
  expect_softmax(device, "LogSoftmax", test::random_halves({9}, 3), 0);
}

TEST(GpuSoftmax, LongRowsAreSharedByAWorkgroup) {
  VULTUS_NEED_GPU(device);
  expect_softmax(device, "Softmax", test::random_halves({4, 1000}, 1, -10, 10), 1);
  expect_softmax(device, "LogSoftmax", test::random_halves({1, 200, 2, 3}, 2), 1);
}

TEST(GpuSoftmax, BeforeOpsetThirteenTheLastAxesAreOneRow) {
  VULTUS_NEED_GPU(device);
  expect_softmax(device, "Softmax", test::random_halves({2, 11, 3, 5}, 1), 1, true);
  expect_softmax(device, "Softmax", test::random_halves({1, 44, 2}, 1), 2, true);
}

TEST(GpuSoftmax, HugeAndMaskedValuesStayFinite) {
  VULTUS_NEED_GPU(device);
  Tensor x = Tensor::of<float>({2, 4}, {60000, 59968, -60000, 0, 1, -INFINITY, 2, -INFINITY});
  expect_softmax(device, "Softmax", x, 1);
}

}  // namespace
}  // namespace vultus
