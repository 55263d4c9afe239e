#include <gtest/gtest.h>

#include "tests/gpu/dice.hpp"
#include "tests/gpu/lanes.hpp"

namespace vultus {
namespace {

// `index` of the result with its last two numbers replaced.
test::Index at(test::Index index, int64_t row, int64_t column) {
  index[index.size() - 2] = row;
  index.back() = column;
  return index;
}

void expect_product(Device& device, const Shape& a, const Shape& b, bool constant_b,
                    const Epilogue& epilogue = {}, uint32_t seed = 1) {
  SCOPED_TRACE(a.str() + " x " + b.str() + (constant_b ? ", constant" : ""));
  test::OpCase what{.op = "MatMul", .attributes = test::with_epilogue({}, epilogue)};
  what.operands.push_back({test::random_halves(a, seed)});
  what.operands.push_back({test::random_halves(b, seed + 1), constant_b});
  // Sums in fp32 of up to 1280 products below 1.
  what.tolerance_fp32 = 1e-5;
  test::expect_op(device, what, [&](size_t, const test::Index& index) {
    double sum = 0;
    for (int64_t k = 0; k < a.back(); ++k)
      sum +=
          test::broadcast_element(what.operands[0].tensor, at(index, index[index.size() - 2], k)) *
          test::broadcast_element(what.operands[1].tensor, at(index, k, index.back()));
    return test::activated(sum, epilogue);
  });
}

TEST(GpuMatMul, TwoRunTimeMatricesOfAnySize) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 0; seed < 40; ++seed) {
    test::Dice dice(seed);
    const int64_t m = dice.of(1, 18), k = dice.of(1, 40), n = dice.of(1, 18);
    expect_product(device, {m, k}, {k, n}, false, {}, seed);
  }
}

TEST(GpuMatMul, ATransposedRightSideIsReadAsItLies) {
  VULTUS_NEED_GPU(device);
  for (bool fixed : {false, true})
    for (const auto& [a, b] : {std::pair{Shape{5, 7}, Shape{9, 7}},
                               {Shape{1, 8, 2560}, Shape{1, 8, 2560}},
                               {Shape{3, 8, 16}, Shape{24, 16}},
                               {Shape{2, 1, 5, 7}, Shape{2, 3, 6, 7}}}) {
      SCOPED_TRACE(a.str() + " x " + b.str());
      test::OpCase what{.op = "MatMul", .attributes = {{"transB", int64_t{1}}}};
      what.operands.push_back({test::random_halves(a, 1)});
      what.operands.push_back({test::random_halves(b, 2), fixed});
      what.tolerance_fp32 = 1e-5;
      test::expect_op(device, what, [&](size_t, const test::Index& index) {
        double sum = 0;
        for (int64_t k = 0; k < a.back(); ++k)
          sum += test::broadcast_element(what.operands[0].tensor,
                                         at(index, index[index.size() - 2], k)) *
                 test::broadcast_element(what.operands[1].tensor, at(index, index.back(), k));
        return sum;
      });
    }
}

TEST(GpuMatMul, LongSumsAreSharedByAWorkgroup) {
  VULTUS_NEED_GPU(device);
  for (int64_t k : {256, 2048, 2051}) {
    expect_product(device, {8, k}, {k, 8}, false);
    expect_product(device, {2, 3, k}, {k, 5}, false, {Activation::relu});
    expect_product(device, {3, k}, {2, k, 9}, false);
  }
}

TEST(GpuMatMul, BatchesBroadcast) {
  VULTUS_NEED_GPU(device);
  for (bool constant : {false, true}) {
    expect_product(device, {3, 5, 7}, {3, 7, 4}, constant);
    expect_product(device, {3, 5, 7}, {7, 4}, constant);
    expect_product(device, {5, 7}, {3, 7, 4}, constant);
    expect_product(device, {2, 1, 5, 7}, {3, 7, 9}, constant);
    expect_product(device, {2, 3, 5, 7}, {2, 1, 7, 9}, constant);
    expect_product(device, {1, 3, 5, 7}, {2, 3, 7, 9}, constant);
  }
}

TEST(GpuMatMul, RowsTimesAConstantMatrix) {
  VULTUS_NEED_GPU(device);
  expect_product(device, {1, 8, 1280}, {1280, 64}, true);
  expect_product(device, {1, 16}, {16, 8}, true);
  expect_product(device, {2, 3, 9, 24}, {24, 16}, true);
  expect_product(device, {3, 24}, {24, 17}, true);
  expect_product(device, {3, 23}, {23, 16}, true);
}

TEST(GpuMatMul, EveryActivation) {
  VULTUS_NEED_GPU(device);
  for (const Epilogue& epilogue : test::kEpilogues)
    expect_product(device, {3, 5}, {5, 6}, false, epilogue);
}

}  // namespace
}  // namespace vultus
