#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

enum Onnx : int64_t { kFloat = 1, kInt32 = 6, kInt64 = 7, kBool = 9 };

void expect_cast(Device& device, const Tensor& x, Onnx to,
                 const std::function<double(double)>& reference) {
  test::OpCase what{.op = "Cast", .attributes = {{"to", static_cast<int64_t>(to)}}};
  what.operands.push_back({x.clone()});
  test::expect_op(device, what,
                  [&](size_t, const test::Index& i) { return reference(test::element(x, i)); });
}

double same(double v) {
  return v;
}
double truth(double v) {
  return v != 0 ? 1 : 0;
}

TEST(GpuCast, BetweenEveryTypeOfTheDevice) {
  VULTUS_NEED_GPU(device);
  Tensor numbers = test::random_halves({2, 11, 3, 5}, 1, -9, 9);
  numbers.as<float>()[3] = 0;
  expect_cast(device, numbers, kBool, truth);
  expect_cast(device, numbers, kInt32, [](double v) { return std::trunc(v); });
  expect_cast(device, numbers, kInt64, [](double v) { return std::trunc(v); });
  Tensor flags = test::random_booleans({2, 11, 3, 5}, 1);
  expect_cast(device, flags, kFloat, same);
  expect_cast(device, flags, kInt64, same);
  Tensor integers = test::random_integers({5, 13}, 1, -3, 3);
  expect_cast(device, integers, kFloat, same);
  expect_cast(device, integers, kInt32, same);
  expect_cast(device, integers, kBool, truth);
}

}  // namespace
}  // namespace vultus
