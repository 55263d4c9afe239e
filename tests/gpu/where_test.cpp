#include <gtest/gtest.h>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

using test::broadcast_element;
using test::Index;

void expect_where(Device& device, test::Operand c, test::Operand a, test::Operand b) {
  const Tensor tc = c.tensor.clone(), ta = a.tensor.clone(), tb = b.tensor.clone();
  test::OpCase what{.op = "Where"};
  what.operands.push_back(std::move(c));
  what.operands.push_back(std::move(a));
  what.operands.push_back(std::move(b));
  test::expect_op(device, what, [&](size_t, const Index& i) {
    return broadcast_element(tc, i) != 0 ? broadcast_element(ta, i) : broadcast_element(tb, i);
  });
}

TEST(GpuWhere, ChoosesUnderBroadcasting) {
  VULTUS_NEED_GPU(device);
  auto values = [](const Shape& s, uint32_t seed) {
    return test::Operand{test::random_halves(s, seed)};
  };
  auto flags = [](const Shape& s) { return test::Operand{test::random_booleans(s, 9)}; };
  expect_where(device, flags({1, 1, 6, 7}), test::constant(test::random_halves({1, 1, 6, 7}, 1)),
               values({1, 1, 6, 7}, 2));
  expect_where(device, flags({2, 11, 3, 5}), values({2, 11, 3, 5}, 1), values({}, 2));
  expect_where(device, flags({3, 5}), values({11, 1, 1}, 1), values({2, 11, 3, 5}, 2));
  expect_where(device, flags({3, 1}), values({3, 9}, 1), values({9}, 2));
}

TEST(GpuWhere, ChoosesIntegersAndBooleans) {
  VULTUS_NEED_GPU(device);
  expect_where(device, {test::random_booleans({3, 8}, 1)},
               {test::random_integers({8}, 2, -1000000000, 1000000000)},
               {test::random_integers({3, 1}, 3, -1000000000, 1000000000)});
  expect_where(device, {test::random_booleans({3, 8}, 1)}, {test::random_booleans({8}, 2)},
               {test::random_booleans({3, 1}, 3)});
}

}  // namespace
}  // namespace vultus
