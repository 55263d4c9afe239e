#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "host/graph/activation.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

using test::broadcast_element;
using test::constant;
using test::expect_op;
using test::Index;
using test::OpCase;
using test::Operand;
using test::random_halves;

double apply(const std::string& op, double a, double b) {
  if (op == "Add") return a + b;
  if (op == "Sub") return a - b;
  if (op == "Mul") return a * b;
  if (op == "Div") return a / b;
  if (op == "Pow") return std::pow(a, b);
  if (op == "Max") return std::max(a, b);
  if (op == "Min") return std::min(a, b);
  if (op == "PRelu") return a < 0 ? a * b : a;
  if (op == "Equal") return a == b;
  if (op == "Greater") return a > b;
  if (op == "GreaterOrEqual") return a >= b;
  if (op == "Less") return a < b;
  if (op == "LessOrEqual") return a <= b;
  if (op == "And") return a != 0 && b != 0;
  if (op == "Or") return a != 0 || b != 0;
  return (a != 0) != (b != 0);
}

void expect_binary(Device& device, OpCase what) {
  const Tensor a = what.operands[0].tensor.clone(), b = what.operands[1].tensor.clone();
  expect_op(device, what, [&](size_t, const Index& i) {
    return apply(what.op, broadcast_element(a, i), broadcast_element(b, i));
  });
}

Operand values(const Shape& shape, uint32_t seed, float low = -2, float high = 2) {
  return {random_halves(shape, seed, low, high)};
}

OpCase of(std::string op, Operand a, Operand b) {
  OpCase what{.op = std::move(op)};
  what.operands.push_back(std::move(a));
  what.operands.push_back(std::move(b));
  return what;
}

TEST(GpuBinary, EveryFunctionMatchesTheReferenceOnChannelTails) {
  VULTUS_NEED_GPU(device);
  for (const char* op : {"Add", "Sub", "Mul", "Max", "Min", "PRelu", "Equal", "Greater",
                         "GreaterOrEqual", "Less", "LessOrEqual"})
    expect_binary(device, of(op, values({1, 11, 3, 5}, 1), values({1, 11, 3, 5}, 2)));
  expect_binary(device, of("Div", values({2, 11, 3, 5}, 3), values({2, 11, 3, 5}, 4, 0.5f, 2)));
}

TEST(GpuBinary, ComparisonsSeeEqualValues) {
  VULTUS_NEED_GPU(device);
  Tensor a = Tensor::of<float>({6}, {1, 2, 3, -1, 0, 5}),
         b = Tensor::of<float>({6}, {1, 3, 2, -1, 0, 5});
  for (const char* op : {"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"})
    expect_binary(device, of(op, {a.clone()}, {b.clone()}));
}

TEST(GpuBinary, PowerTakesNegativeBasesAndSpecialExponents) {
  VULTUS_NEED_GPU(device);
  Tensor base = Tensor::of<float>({10}, {-2, -2, -2, 4, 4, 3, 0, 1.5f, -3, 2});
  Tensor exponent = Tensor::of<float>({10}, {2, 3, -1, 0.5f, -0.5f, 0, 2, 2.5f, 1, -2});
  // exp2(e log2 x) loses a few bits against pow.
  OpCase what = of("Pow", {base.clone()}, {exponent.clone()});
  what.tolerance_fp32 = 2e-5;
  expect_binary(device, std::move(what));
}

// What the other operand looks like against [2, 11, 3, 5].
TEST(GpuBinary, EveryBroadcastMatchesTheReferenceFromEitherSide) {
  VULTUS_NEED_GPU(device);
  const Shape full{2, 11, 3, 5};
  for (const Shape& shape :
       {Shape{}, Shape{1}, Shape{5}, Shape{3, 1}, Shape{3, 5}, Shape{11, 1, 1}, Shape{11, 3, 5},
        Shape{1, 11, 1, 1}, Shape{2, 1, 3, 5}, Shape{2, 11, 1, 1}, Shape{1, 1, 3, 5},
        Shape{1, 1, 1, 5}, Shape{2, 1, 1, 1}})
    for (bool fixed : {false, true}) {
      SCOPED_TRACE(shape.str() + (fixed ? " constant" : ""));
      expect_binary(device, of("Sub", values(full, 5), {random_halves(shape, 6), fixed}));
      expect_binary(device, of("Sub", {random_halves(shape, 7), fixed}, values(full, 8)));
    }
}

TEST(GpuBinary, RankTwoAndOddRanksMatchTheReference) {
  VULTUS_NEED_GPU(device);
  expect_binary(device, of("Add", values({3, 13}, 1), values({3, 13}, 2)));
  expect_binary(device, of("Add", values({3, 13}, 1), values({13}, 2)));
  expect_binary(device, of("Mul", values({1, 8, 24}, 3), values({1, 8, 1}, 4)));
  expect_binary(device, of("Mul", values({2, 3, 4, 2, 5}, 5), values({3, 1, 2, 1}, 6)));
  expect_binary(device, of("Mul", values({2, 1, 3, 1, 2, 8}, 7), values({1, 4, 1, 5, 1, 8}, 8)));
}

TEST(GpuBinary, RandomShapesMatchTheReference) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 100; seed < 112; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 engine(seed);
    Shape a, b;
    int rank = static_cast<int>(1 + engine() % 4);
    for (int i = 0; i < rank; ++i) {
      int64_t size = static_cast<int64_t>(1 + engine() % 17);
      a.push_back(engine() % 4 == 0 ? 1 : size);
      b.push_back(engine() % 4 == 0 ? 1 : size);
    }
    expect_binary(device, of("Mul", values(a, seed), values(b, seed + 1000)));
  }
}

TEST(GpuBinary, AddAppliesItsFusedActivation) {
  VULTUS_NEED_GPU(device);
  Node carrier;
  set_epilogue(carrier, {Activation::relu, 0, 0});
  Operand a = values({1, 5, 4, 4}, 1), b = values({1, 5, 4, 4}, 2);
  const Tensor ta = a.tensor.clone(), tb = b.tensor.clone();
  OpCase what = of("Add", std::move(a), std::move(b));
  what.attributes = carrier.attributes;
  expect_op(device, what, [&](size_t, const Index& i) {
    return std::max(0.0, test::element(ta, i) + test::element(tb, i));
  });
}

TEST(GpuBinary, BooleansCombine) {
  VULTUS_NEED_GPU(device);
  for (const char* op : {"And", "Or", "Xor"})
    expect_binary(device,
                  of(op, {test::random_booleans({3, 7}, 1)}, {test::random_booleans({7}, 2)}));
}

TEST(GpuBinary, IntegersStayExactBeyondWhatFloatsHold) {
  VULTUS_NEED_GPU(device);
  for (const char* op : {"Add", "Sub", "Max", "Min", "Equal", "Greater", "LessOrEqual"})
    expect_binary(device, of(op, {test::random_integers({3, 7}, 1, -1000000000, 1000000000)},
                             {test::random_integers({7}, 2, -1000000000, 1000000000)}));
  OpCase what = of("Div", {test::random_integers({40}, 3, -100, 100)},
                   {test::random_integers({40}, 4, 1, 9)});
  const Tensor a = what.operands[0].tensor.clone(), b = what.operands[1].tensor.clone();
  expect_op(device, what, [&](size_t, const Index& i) {
    return std::trunc(test::element(a, i) / test::element(b, i));
  });
}

TEST(GpuBinary, MoreThanTwoInputsAreRefusedWithTheReason) {
  VULTUS_NEED_GPU(device);
  std::vector<Operand> operands;
  for (uint32_t i = 0; i < 3; ++i)
    operands.push_back(values({4}, i));
  auto graph = test::single_node("Max", {}, operands);
  ASSERT_TRUE(graph) << graph.error().what;
  Support support = device.supports(*graph, graph->nodes[0], Precision::fp32);
  EXPECT_FALSE(support.ok);
  EXPECT_NE(support.reason.find("3 inputs"), std::string::npos) << support.reason;
}

}  // namespace
}  // namespace vultus
