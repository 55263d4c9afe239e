#include "host/core/shape.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "host/core/tensor.hpp"

namespace vultus {
namespace {

TEST(Shape, CountsElementsAndStrides) {
  Shape s{2, 3, 4};
  EXPECT_EQ(s.elements(), 24);
  EXPECT_EQ(s.strides(), (Shape{12, 4, 1}));
  EXPECT_EQ(s.back(), 4);
  EXPECT_EQ(s.back(-3), 2);
  EXPECT_EQ(s.str(), "2x3x4");
  EXPECT_EQ(Shape{}.elements(), 1);
  EXPECT_EQ(Shape{}.str(), "scalar");
  EXPECT_EQ((Shape{3, 0}).elements(), 0);
}

TEST(Shape, EqualityLooksAtTheRank) {
  EXPECT_NE((Shape{1}), (Shape{1, 1}));
  EXPECT_EQ((Shape{1, 2}), (Shape{1, 2}));
}

TEST(Shape, OverflowingAndNegativeSizesHaveNoElementCount) {
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  for (Shape s : {Shape{-1}, Shape{kHuge}, Shape{int64_t{1} << 20, int64_t{1} << 21},
                  Shape{int64_t{1} << 32, int64_t{1} << 32}, Shape{0, -1}})
    EXPECT_FALSE(checked_elements(s.dims())) << s.str();
  EXPECT_EQ(checked_elements(Shape{int64_t{1} << 40}.dims()), int64_t{1} << 40);
  EXPECT_EQ(checked_elements(Shape{0, int64_t{1} << 39}.dims()), 0);
  EXPECT_EQ(checked_elements({}), 1);
}

TEST(Shape, IsParsedFromSizesWithAnXBetween) {
  EXPECT_EQ(parse_shape("1x3x480x640"), (Shape{1, 3, 480, 640}));
  EXPECT_EQ(parse_shape("7"), (Shape{7}));
  for (auto bad : {"", "x", "1x", "x1", "1,2", "-1x2", "1x2 ", "1xx2", "99999999999999999999",
                   "1x1x1x1x1x1x1x1x1", "1048576x1048576x1048576"})
    EXPECT_FALSE(parse_shape(bad)) << bad;
}

TEST(Shape, BroadcastsFromTheRight) {
  EXPECT_EQ(broadcast({2, 1, 4}, {3, 1}), (Shape{2, 3, 4}));
  EXPECT_EQ(broadcast({}, {5}), (Shape{5}));
  EXPECT_EQ(broadcast({1}, {0}), (Shape{0}));
  EXPECT_FALSE(broadcast({2}, {3}));
}

TEST(Tensor, IsZeroedAlignedAndClones) {
  Tensor t(DType::f32, {2, 3});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(t.bytes()) % 64, 0u);
  for (float v : t.as<float>())
    EXPECT_EQ(v, 0);
  t.as<float>()[4] = 7;
  Tensor copy = t.clone();
  t.as<float>()[4] = 8;
  EXPECT_EQ(copy.as<float>()[4], 7);
  copy.reshape({3, 2});
  copy.truncate(1);
  EXPECT_EQ(copy.shape(), (Shape{1, 2}));
}

}  // namespace
}  // namespace vultus
