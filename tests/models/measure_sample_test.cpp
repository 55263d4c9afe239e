#include <gtest/gtest.h>

#include <cmath>

#include "models/measure/sample.hpp"

namespace vultus::measure {
namespace {

TEST(BoundedSample, QuantilesOfFewValuesAreExact) {
  BoundedSample sample;
  EXPECT_FALSE(sample.median());
  EXPECT_FALSE(sample.mad());
  for (double value : {5.0, 1.0, 4.0, 2.0})
    sample.push(value);
  EXPECT_DOUBLE_EQ(*sample.median(), 3);
  EXPECT_DOUBLE_EQ(*sample.quantile(0), 1);
  EXPECT_DOUBLE_EQ(*sample.quantile(1), 5);
  EXPECT_NEAR(*sample.quantile(0.9), 4.7, 1e-6);
  EXPECT_DOUBLE_EQ(*sample.mad(), 1.5);  // deviations 2, 2, 1, 1
}

TEST(BoundedSample, MillionsOfValuesKeepTheirQuantiles) {
  BoundedSample sample(1000);
  constexpr int kCount = 3'000'000;
  for (int i = 0; i < kCount; ++i)
    sample.push(static_cast<double>(i) / kCount);
  EXPECT_EQ(sample.count(), kCount);
  for (double q : {0.01, 0.5, 0.9})
    EXPECT_NEAR(*sample.quantile(q), q, 0.003);
  EXPECT_NEAR(*sample.mad(), 0.25, 0.003);
}

TEST(BoundedSample, WhatIsNotFiniteIsPassedOver) {
  BoundedSample sample;
  sample.push(std::nan(""));
  sample.push(INFINITY);
  EXPECT_FALSE(sample.median());
  sample.push(2);
  EXPECT_EQ(sample.count(), 1);
  EXPECT_DOUBLE_EQ(*sample.median(), 2);
}

}  // namespace
}  // namespace vultus::measure
