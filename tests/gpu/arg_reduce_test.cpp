#include <gtest/gtest.h>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

void expect_arg(Device& device, bool most, const Tensor& x, int64_t axis, bool keep, bool last) {
  SCOPED_TRACE(x.shape().str() + " axis " + std::to_string(axis));
  test::OpCase what{
      .op = most ? "ArgMax" : "ArgMin",
      .attributes = {
          {"axis", axis}, {"keepdims", int64_t{keep}}, {"select_last_index", int64_t{last}}}};
  what.operands.push_back({x.clone()});
  auto along = static_cast<size_t>(axis < 0 ? axis + x.shape().rank() : axis);
  test::expect_op(device, what, [&](size_t, test::Index i) {
    if (!keep) i.insert(i.begin() + static_cast<std::ptrdiff_t>(along), 0);
    int64_t best = 0;
    auto value = [&](int64_t k) {
      i[along] = k;
      return most ? test::element(x, i) : -test::element(x, i);
    };
    for (int64_t k = 1; k < x.shape()[static_cast<int>(along)]; ++k)
      if (value(k) > value(best) || (last && value(k) == value(best))) best = k;
    return static_cast<double>(best);
  });
}

TEST(GpuArgReduce, EveryAxisOfEitherLayout) {
  VULTUS_NEED_GPU(device);
  Tensor x = test::random_halves({2, 11, 3, 5}, 1);
  for (bool most : {false, true})
    for (int64_t axis = -1; axis < 4; ++axis)
      expect_arg(device, most, x, axis, axis % 2 == 0, false);
}

TEST(GpuArgReduce, TiesGoToTheFirstOrTheLast) {
  VULTUS_NEED_GPU(device);
  Tensor x = test::random_halves({3, 700}, 2);
  for (float& v : x.as<float>())
    v = v > 0 ? 1.0f : 0.0f;
  for (bool most : {false, true})
    for (bool last : {false, true})
      expect_arg(device, most, x, 1, true, last);
}

}  // namespace
}  // namespace vultus
