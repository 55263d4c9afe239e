#include <gtest/gtest.h>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

void expect_gather(Device& device, Tensor x, int64_t axis, Tensor indices, bool fixed) {
  SCOPED_TRACE(x.shape().str() + " axis " + std::to_string(axis) + " by " + indices.shape().str());
  test::OpCase what{.op = "Gather", .attributes = {{"axis", axis}}};
  what.operands.push_back({x.clone()});
  what.operands.push_back({indices.clone(), fixed});
  what.tolerance_fp32 = what.tolerance_fp16 = 0;  // a copy
  auto along = static_cast<std::ptrdiff_t>(axis < 0 ? axis + x.shape().rank() : axis);
  test::expect_op(device, what, [&](size_t, const test::Index& i) {
    auto first = i.begin() + along, last = first + indices.shape().rank();
    auto picked = static_cast<int64_t>(test::element(indices, {first, last}));
    if (picked < 0) picked += x.shape()[static_cast<int>(along)];
    test::Index from(i.begin(), first);
    from.push_back(picked);
    from.insert(from.end(), last, i.end());
    return test::element(x, from);
  });
}

TEST(GpuGather, AlongEveryAxisWithConstantAndComputedIndices) {
  VULTUS_NEED_GPU(device);
  for (int64_t axis = -1; axis < 4; ++axis)
    for (bool fixed : {true, false})
      expect_gather(device, test::random_halves({2, 11, 3, 5}, 1), axis,
                    test::random_integers({4}, 2, -2, 2), fixed);
}

TEST(GpuGather, ScalarAndMatrixIndices) {
  VULTUS_NEED_GPU(device);
  expect_gather(device, test::random_halves({1, 8, 4}, 1), 2, Tensor::of<int64_t>({}, {3}), true);
  expect_gather(device, test::random_halves({6, 8}, 1), 0, test::random_integers({2, 3}, 2, -6, 6),
                true);
  expect_gather(device, test::random_integers({6, 4}, 1, -2000000000, 2000000000), 1,
                test::random_integers({5}, 2, 0, 4), true);
}

TEST(GpuGather, AConstantIndexOutOfRangeIsRefusedWithTheReason) {
  VULTUS_NEED_GPU(device);
  std::vector<test::Operand> operands;
  operands.push_back({test::random_halves({3}, 1)});
  operands.push_back(test::constant(Tensor::of<int64_t>({1}, {3})));
  auto graph = test::single_node("Gather", {}, operands);
  ASSERT_TRUE(graph) << graph.error().what;
  Support support = device.supports(*graph, graph->nodes[0], Precision::fp32);
  EXPECT_FALSE(support.ok);
  EXPECT_NE(support.reason.find("index 3"), std::string::npos) << support.reason;
}

}  // namespace
}  // namespace vultus
