#include "host/run/output_error.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "host/run/accuracy.hpp"

namespace vultus::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(OutputError, TellsTheWorstElements) {
  const Tensor got = Tensor::of<float>({4}, {1.5f, 10, 0.25f, 3});
  const Tensor wanted = Tensor::of<float>({4}, {1, 8, 0, -3});
  const OutputError e = compare_output("y", got, wanted);
  EXPECT_EQ(e.name, "y");
  EXPECT_EQ(e.max_abs, 6);
  EXPECT_EQ(e.max_rel, 2);  // of 3 and -3; where 0 was wanted nothing is relative
  EXPECT_DOUBLE_EQ(e.rel_l2, std::sqrt((0.25 + 4 + 0.0625 + 36) / (1 + 64 + 9)));
  EXPECT_FALSE(e.within(0.5));
  EXPECT_TRUE(e.within(0.9));
}

TEST(OutputError, WhatIsNotFiniteMustBeTheSame) {
  const Tensor wanted = Tensor::of<float>({4}, {kInfinity, std::nanf(""), 1, -kInfinity});
  const OutputError same = compare_output("y", wanted, wanted);
  EXPECT_EQ(same.non_finite, 0);
  EXPECT_TRUE(same.within(0));
  const Tensor got = Tensor::of<float>({4}, {-kInfinity, 1, kInfinity, -kInfinity});
  const OutputError e = compare_output("y", got, wanted);
  EXPECT_EQ(e.non_finite, 3);
  EXPECT_FALSE(e.within(1e9));
}

TEST(OutputError, IntegersAreComparedToTheLastBit) {
  constexpr int64_t kLarge = int64_t{1} << 60, kLeast = std::numeric_limits<int64_t>::min();
  const Tensor wanted = Tensor::of<int64_t>({2}, {kLarge, kLeast});
  OutputError e = compare_output("i", Tensor::of<int64_t>({2}, {kLarge + 1, kLeast}), wanted);
  EXPECT_EQ(e.max_abs, 1);
  EXPECT_FALSE(e.within(1));
  e = compare_output("i", Tensor::of<int64_t>({2}, {kLarge, -1 - kLeast}), wanted);
  EXPECT_EQ(e.max_abs, 18446744073709551615.0);
  EXPECT_TRUE(compare_output("i", wanted, wanted).within(0));
  const Tensor yes = Tensor::of<bool>({1}, {true}), no = Tensor::of<bool>({1}, {false});
  EXPECT_FALSE(compare_output("b", yes, no).within(1e9));
  EXPECT_TRUE(compare_output("b", yes, yes).within(0));
}

TEST(OutputError, AnotherTypeOrSizeIsNotCompared) {
  const Tensor wanted = Tensor::of<float>({2}, {1, 2});
  OutputError e = compare_output("y", Tensor::of<float>({1, 2}, {1, 2}), wanted);
  EXPECT_EQ(e.incomparable, "is float32 1x2, not float32 2");
  EXPECT_FALSE(e.within(1e9));
  e = compare_output("y", Tensor::of<int32_t>({2}, {1, 2}), wanted);
  EXPECT_EQ(e.incomparable, "is int32 2, not float32 2");
}

TEST(ValueErrors, OfSeveralInputsTheWorstIsKept) {
  std::vector<ValueError> worst;
  ValueError fine, bad;
  fine.max_abs = 2;
  fine.largest = 5;
  fine.non_finite = fine.reference_non_finite = 9;
  keep_worst(worst, {fine});
  ASSERT_EQ(worst.size(), 1u);
  bad.rel_l2 = 0.5;
  bad.non_finite = 1;  // an overflow, unlike what is infinite in the reference as well
  keep_worst(worst, {bad});
  keep_worst(worst, {fine});
  EXPECT_EQ(worst[0].max_abs, 2);
  EXPECT_EQ(worst[0].largest, 5);
  EXPECT_EQ(worst[0].rel_l2, 0.5);
  EXPECT_EQ(worst[0].non_finite, 1);
  EXPECT_EQ(worst[0].reference_non_finite, 0);
}

}  // namespace
}  // namespace vultus::test
