#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

void expect_top_k(Device& device, const Tensor& x, int64_t axis, int64_t k, bool largest) {
  SCOPED_TRACE(x.shape().str() + " axis " + std::to_string(axis));
  test::OpCase what{
      .op = "TopK", .attributes = {{"axis", axis}, {"largest", int64_t{largest}}}, .outputs = 2};
  what.operands.push_back({x.clone()});
  what.operands.push_back(test::constant(Tensor::of<int64_t>({1}, {k})));
  what.tolerance_fp32 = what.tolerance_fp16 = 0;  // a choice
  auto along = static_cast<size_t>(axis < 0 ? axis + x.shape().rank() : axis);
  test::expect_op(device, what, [&](size_t output, test::Index i) {
    auto place = static_cast<size_t>(i[along]);
    auto value = [&](int64_t at) {
      i[along] = at;
      return test::element(x, i);
    };
    std::vector<int64_t> order(static_cast<size_t>(x.shape()[static_cast<int>(along)]));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return largest ? value(a) > value(b) : value(a) < value(b);
    });
    return output == 0 ? value(order[place]) : static_cast<double>(order[place]);
  });
}

TEST(GpuTopK, EveryAxisLargestAndSmallest) {
  VULTUS_NEED_GPU(device);
  for (bool largest : {true, false}) {
    for (int64_t axis = 0; axis < 4; ++axis)
      expect_top_k(device, test::random_halves({3, 11, 3, 5}, 1), axis, 2, largest);
    expect_top_k(device, test::random_halves({1, 8, 8}, 2), -1, 4, largest);
    expect_top_k(device, test::random_halves({200}, 3), 0, 200, largest);
  }
}

TEST(GpuTopK, EqualValuesKeepTheirOrder) {
  VULTUS_NEED_GPU(device);
  Tensor x = Tensor::of<float>({2, 6}, {1, 2, 2, -1, 2, 1, 0, -0.0f, 0, -0.0f, -1, 1});
  expect_top_k(device, x, 1, 5, true);
  expect_top_k(device, x, 1, 5, false);
}

TEST(GpuTopK, AnAxisThatIsTooLongIsRefusedWithTheReason) {
  VULTUS_NEED_GPU(device);
  std::vector<test::Operand> operands;
  operands.push_back({test::random_halves({5000}, 1)});
  operands.push_back(test::constant(Tensor::of<int64_t>({1}, {3})));
  auto graph = test::single_node("TopK", {}, operands, 2);
  ASSERT_TRUE(graph) << graph.error().what;
  Support support = device.supports(*graph, graph->nodes[0], Precision::fp32);
  EXPECT_FALSE(support.ok);
  EXPECT_NE(support.reason.find("5000"), std::string::npos) << support.reason;
}

}  // namespace
}  // namespace vultus
