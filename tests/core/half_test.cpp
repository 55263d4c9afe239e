#include "host/core/half.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace vultus {
namespace {

/// Nearest half by search over all 63,488 finite ones is slow; rounding in double at the half's
/// own exponent is the same thing.
double nearest_half(double x) {
  double magnitude = std::abs(x);
  if (magnitude >= 65520) return std::copysign(std::numeric_limits<double>::infinity(), x);
  int exponent = magnitude < 0x1p-14 ? -14 : std::ilogb(magnitude);
  double unit = std::ldexp(1.0, exponent - 10);
  return std::copysign(std::nearbyint(magnitude / unit) * unit, x);
}

TEST(Half, EveryHalfSurvivesTheWayThroughFloat) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    auto half = static_cast<uint16_t>(bits);
    float value = float_from_half(half);
    if (std::isnan(value))
      EXPECT_TRUE(std::isnan(float_from_half(half_from_float(value))));
    else
      EXPECT_EQ(half_from_float(value), half);
  }
}

TEST(Half, FloatsRoundToTheNearestEvenHalf) {
  std::mt19937 engine(1);
  std::uniform_real_distribution<float> mantissa(1, 2);
  std::uniform_int_distribution<int> exponent(-30, 17);
  for (int i = 0; i < 200000; ++i) {
    float x = std::ldexp(mantissa(engine), exponent(engine)) * (i % 2 ? 1.0f : -1.0f);
    EXPECT_EQ(static_cast<double>(float_from_half(half_from_float(x))),
              nearest_half(static_cast<double>(x)))
        << x;
  }
}

TEST(Half, TiesAndLimitsAreThoseOfTheStandard) {
  EXPECT_EQ(half_from_float(1 + 0x1p-11f), 0x3c00);      // tie to even, down
  EXPECT_EQ(half_from_float(1 + 3 * 0x1p-11f), 0x3c02);  // tie to even, up
  EXPECT_EQ(half_from_float(65504.0f), 0x7bff);          // largest
  EXPECT_EQ(half_from_float(65519.996f), 0x7bff);        // still rounds down
  EXPECT_EQ(half_from_float(65520.0f), 0x7c00);          // first that overflows
  EXPECT_EQ(half_from_float(0x1p-24f), 0x0001);          // smallest
  EXPECT_EQ(half_from_float(0x1p-25f), 0x0000);          // tie to zero
  EXPECT_EQ(half_from_float(-0.0f), 0x8000);
  EXPECT_EQ(half_from_float(-std::numeric_limits<float>::infinity()), 0xfc00);
}

}  // namespace
}  // namespace vultus
