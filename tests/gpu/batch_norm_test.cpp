#include <gtest/gtest.h>

#include <cmath>

#include "tests/gpu/lanes.hpp"

namespace vultus {
namespace {

test::OpCase batch_norm(const Shape& shape, const Epilogue& epilogue) {
  test::OpCase what{.op = "BatchNormalization"};
  what.attributes = test::with_epilogue({{"epsilon", 1e-3f}}, epilogue);
  what.operands.push_back({test::random_halves(shape, 1)});
  const Shape channels{shape[1]};
  what.operands.push_back(test::constant(test::random_halves(channels, 2)));
  what.operands.push_back(test::constant(test::random_halves(channels, 3)));
  what.operands.push_back(test::constant(test::random_halves(channels, 4)));
  what.operands.push_back(test::constant(test::random_halves(channels, 5, 0.1f, 2)));
  return what;
}

double normalised(const test::OpCase& what, const test::Index& i, const Epilogue& epilogue) {
  auto of_channel = [&](size_t operand) {
    return test::element(what.operands[operand].tensor, {i[1]});
  };
  const double x = test::element(what.operands[0].tensor, i);
  const double deviation = std::sqrt(of_channel(4) + static_cast<double>(1e-3f));
  return test::activated((x - of_channel(3)) / deviation * of_channel(1) + of_channel(2), epilogue);
}

TEST(GpuBatchNorm, EveryActivationAndChannelCount) {
  VULTUS_NEED_GPU(device);
  int64_t channels = 1;
  for (const Epilogue& epilogue : test::kEpilogues) {
    const Shape shape{2, channels, 3, 5};
    test::OpCase what = batch_norm(shape, epilogue);
    std::vector<double> expected;
    test::for_each(
        shape, [&](const test::Index& i) { expected.push_back(normalised(what, i, epilogue)); });
    test::expect_lanes(device, what, expected);
    channels += 4;
  }
}

TEST(GpuBatchNorm, AnyRankAndEitherLayout) {
  VULTUS_NEED_GPU(device);
  for (const Shape& shape :
       {Shape{3, 11}, Shape{1, 8, 40}, Shape{2, 5, 7}, Shape{2, 9, 4, 3}, Shape{1, 3, 2, 2, 3}}) {
    test::OpCase what = batch_norm(shape, {Activation::relu});
    test::expect_op(device, what, [&](size_t, const test::Index& i) {
      return normalised(what, i, {Activation::relu});
    });
  }
}

}  // namespace
}  // namespace vultus
