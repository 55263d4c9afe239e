#include <gtest/gtest.h>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

using Integers = std::vector<int64_t>;

Tensor list(const Integers& values) {
  return Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values);
}

TEST(GpuSplit, PartsOfUnequalLength) {
  VULTUS_NEED_GPU(device);
  for (int64_t axis : {1, 3}) {
    Shape shape{1, 5, 4, 6};
    shape[static_cast<int>(axis)] = 21;
    Tensor x = test::random_halves(shape, 1);
    test::OpCase what{.op = "Split", .attributes = {{"axis", axis}}, .outputs = 3};
    what.operands.push_back({x.clone()});
    what.operands.push_back(test::constant(list({8, 3, 10})));
    const Integers begin{0, 8, 11};
    test::expect_op(device, what, [&](size_t o, test::Index index) {
      index[static_cast<size_t>(axis)] += begin[o];
      return test::element(x, index);
    });
  }
}

}  // namespace
}  // namespace vultus
