#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

using Integers = std::vector<int64_t>;

double reduced(const std::string& op, const std::vector<double>& v) {
  double sum = 0, squares = 0, absolute = 0, product = 1;
  double top = -std::numeric_limits<double>::infinity(), bottom = -top;
  for (double x : v) {
    sum += x;
    squares += x * x;
    absolute += std::abs(x);
    product *= x;
    top = std::max(top, x);
    bottom = std::min(bottom, x);
  }
  if (op == "ReduceSum") return sum;
  if (op == "ReduceMean") return sum / static_cast<double>(v.size());
  if (op == "ReduceMax") return top;
  if (op == "ReduceMin") return bottom;
  if (op == "ReduceProd") return product;
  if (op == "ReduceL1") return absolute;
  if (op == "ReduceL2") return std::sqrt(squares);
  if (op == "ReduceSumSquare") return squares;
  if (op == "ReduceLogSum") return std::log(sum);
  double exponentials = 0;
  for (double x : v)
    exponentials += std::exp(x - top);
  return top + std::log(exponentials);
}

constexpr const char* kReductions[] = {"ReduceSum", "ReduceMean",      "ReduceMax",
                                       "ReduceMin", "ReduceProd",      "ReduceL1",
                                       "ReduceL2",  "ReduceSumSquare", "ReduceLogSumExp"};

void expect_reduce(Device& device, const std::string& op, const Tensor& x, const Integers& axes,
                   bool keep) {
  SCOPED_TRACE(op + " " + x.shape().str() + " axes " + ::testing::PrintToString(axes) +
               (keep ? " kept" : ""));
  test::OpCase what{.op = op, .attributes = {{"keepdims", int64_t{keep}}}};
  what.operands.push_back({x.clone()});
  what.operands.push_back(
      test::constant(Tensor::of<int64_t>({static_cast<int64_t>(axes.size())}, axes)));
  what.tolerance_fp32 = 2e-5;  // sums of thousands in another order
  std::vector<bool> gone(static_cast<size_t>(x.shape().rank()), axes.empty());
  for (int64_t a : axes)
    gone[static_cast<size_t>(a < 0 ? a + x.shape().rank() : a)] = true;
  Shape loop = x.shape();
  for (int d = 0; d < loop.rank(); ++d)
    if (!gone[static_cast<size_t>(d)]) loop[d] = 1;
  test::expect_op(device, what, [&](size_t, const test::Index& i) {
    test::Index base(gone.size(), 0);
    size_t next = 0;
    for (size_t d = 0; d < gone.size(); ++d) {
      if (!gone[d]) base[d] = i[next];
      if (!gone[d] || keep) ++next;
    }
    std::vector<double> values;
    test::for_each(loop, [&](const test::Index& step) {
      test::Index at = base;
      for (size_t d = 0; d < gone.size(); ++d)
        at[d] += step[d];
      values.push_back(test::element(x, at));
    });
    return reduced(op, values);
  });
}

TEST(GpuReduce, EveryFunctionOverPixelsChannelsAndAll) {
  VULTUS_NEED_GPU(device);
  Tensor x = test::random_halves({2, 11, 3, 5}, 1, -1.5f, 1.5f);
  for (const char* op : kReductions)
    for (const Integers& axes : {Integers{2, 3}, Integers{1}, Integers{}})
      expect_reduce(device, op, x, axes, true);
  expect_reduce(device, "ReduceLogSum", test::random_halves({2, 11, 3, 5}, 1, 0.5f, 1.5f), {2, 3},
                true);
}

TEST(GpuReduce, LongRowsAreSharedByAWorkgroup) {
  VULTUS_NEED_GPU(device);
  Tensor pixels = test::random_halves({1, 11, 20, 17}, 1);
  Tensor rows = test::random_halves({3, 777}, 2);
  for (const char* op : kReductions) {
    if (std::string(op) == "ReduceProd") continue;  // vanishes
    expect_reduce(device, op, pixels, {2, 3}, false);
    expect_reduce(device, op, rows, {-1}, true);
  }
}

TEST(GpuReduce, AnyAxesWithAndWithoutKeepingThem) {
  VULTUS_NEED_GPU(device);
  Tensor x = test::random_halves({2, 11, 3, 5}, 1);
  for (const Integers& axes : {Integers{0}, Integers{2}, Integers{3}, Integers{0, 2},
                               Integers{1, 3}, Integers{0, 1}, Integers{0, 2, 3}})
    for (bool keep : {false, true})
      expect_reduce(device, "ReduceSum", x, axes, keep);
  Tensor deep = test::random_halves({2, 3, 4, 2, 3}, 2);
  expect_reduce(device, "ReduceMean", deep, {1, 3}, false);
  expect_reduce(device, "ReduceMean", deep, {0, 2, 4}, true);
}

TEST(GpuReduce, HeatMapsLargerThanFp16CanSumKeepTheirPrecision) {
  VULTUS_NEED_GPU(device);
  // 4096 values near 1: a half-precision accumulator would stop at 2048.
  expect_reduce(device, "ReduceSum", test::random_halves({1, 98, 64, 64}, 1, 0.9f, 1.1f), {2, 3},
                false);
}

TEST(GpuReduce, IntegersAreRefusedWithTheReason) {
  VULTUS_NEED_GPU(device);
  std::vector<test::Operand> operands;
  operands.push_back({test::random_integers({3, 4}, 1, 0, 9)});
  auto graph = test::single_node("ReduceMax", {}, operands, 1, 13);
  ASSERT_TRUE(graph) << graph.error().what;
  Support support = device.supports(*graph, graph->nodes[0], Precision::fp32);
  EXPECT_FALSE(support.ok);
  EXPECT_NE(support.reason.find("integers"), std::string::npos) << support.reason;
}

}  // namespace
}  // namespace vultus
