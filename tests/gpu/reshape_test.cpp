#include <gtest/gtest.h>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

double at_flat(const Tensor& t, const Shape& shape, const test::Index& index) {
  int64_t at = 0;
  for (size_t d = 0; d < index.size(); ++d)
    at = at * shape[static_cast<int>(d)] + index[d];
  return static_cast<double>(t.as<float>()[static_cast<size_t>(at)]);
}

void expect_reshape(Device& device, const Shape& from, const Shape& to) {
  SCOPED_TRACE(from.str() + " to " + to.str());
  Tensor x = test::random_halves(from, 1);
  test::OpCase what{.op = "Reshape"};
  what.operands.push_back({x.clone()});
  what.operands.push_back(test::constant(Tensor::of<int64_t>({to.rank()}, to.dims())));
  test::expect_op(device, what, [&](size_t, const test::Index& i) { return at_flat(x, to, i); });
}

TEST(GpuReshape, KeepsRowMajorOrderFromEitherLayout) {
  VULTUS_NEED_GPU(device);
  expect_reshape(device, {1, 12, 1, 1}, {1, 12});
  expect_reshape(device, {3, 12, 1, 1}, {3, 12});
  expect_reshape(device, {3, 12, 1, 1}, {36});
  expect_reshape(device, {1, 12, 1, 1}, {1, 3, 4});
  expect_reshape(device, {3, 12}, {3, 12, 1, 1});
  expect_reshape(device, {2, 5, 3, 4}, {2, 15, 4, 1});
  expect_reshape(device, {2, 5, 3, 4}, {1, 120});
  expect_reshape(device, {6, 8}, {1, 1, 6, 8});
  expect_reshape(device, {1, 6, 5, 4}, {1, 60, 2});
}

TEST(GpuReshape, FlattenSqueezeAndUnsqueeze) {
  VULTUS_NEED_GPU(device);
  using Integers = std::vector<int64_t>;
  Tensor x = test::random_halves({2, 9, 1, 3}, 1);
  auto expect = [&](const std::string& op, test::Attributes attributes, const Shape& to) {
    test::OpCase what{.op = op, .attributes = std::move(attributes), .opset = 11};
    what.operands.push_back({x.clone()});
    test::expect_op(device, what, [&](size_t, const test::Index& i) { return at_flat(x, to, i); });
  };
  expect("Flatten", {{"axis", int64_t{1}}}, {2, 27});
  expect("Squeeze", {{"axes", Integers{2}}}, {2, 9, 3});
  expect("Unsqueeze", {{"axes", Integers{0, 5}}}, {1, 2, 9, 1, 3, 1});
}

}  // namespace
}  // namespace vultus
