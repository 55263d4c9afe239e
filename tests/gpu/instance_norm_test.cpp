#include <gtest/gtest.h>

#include <cmath>

#include "tests/gpu/lanes.hpp"

namespace vultus {
namespace {

std::vector<double> reference(const test::OpCase& what, double epsilon, const Epilogue& epilogue) {
  const Tensor& x = what.operands[0].tensor;
  const Shape& shape = x.shape();
  std::vector<double> result;
  for (int64_t n = 0; n < shape[0]; ++n)
    for (int64_t c = 0; c < shape[1]; ++c) {
      std::vector<double> plane;
      test::for_each({shape[2], shape[3]}, [&](const test::Index& p) {
        plane.push_back(test::element(x, {n, c, p[0], p[1]}));
      });
      double mean = 0, variance = 0;
      for (double v : plane)
        mean += v / static_cast<double>(plane.size());
      for (double v : plane)
        variance += (v - mean) * (v - mean) / static_cast<double>(plane.size());
      for (double v : plane)
        result.push_back(test::activated((v - mean) / std::sqrt(variance + epsilon) *
                                                 test::element(what.operands[1].tensor, {c}) +
                                             test::element(what.operands[2].tensor, {c}),
                                         epilogue));
    }
  return result;
}

void expect_norm(Device& device, const Shape& shape, const Epilogue& epilogue, float low = -1,
                 float high = 1) {
  SCOPED_TRACE(shape.str());
  test::OpCase what{.op = "InstanceNormalization"};
  what.attributes = test::with_epilogue({{"epsilon", 1e-5f}}, epilogue);
  what.operands.push_back({test::random_halves(shape, 1, low, high)});
  what.operands.push_back(test::constant(test::random_halves({shape[1]}, 2)));
  what.operands.push_back(test::constant(test::random_halves({shape[1]}, 3)));
  test::expect_lanes(device, what, reference(what, static_cast<double>(1e-5f), epilogue));
}

TEST(GpuInstanceNorm, SmallAndLargeMapsWithAndWithoutActivation) {
  VULTUS_NEED_GPU(device);
  for (const Epilogue& epilogue : {Epilogue{}, Epilogue{Activation::relu}})
    for (const Shape& shape : {Shape{1, 1, 2, 2}, Shape{2, 9, 3, 5}, Shape{1, 16, 8, 8},
                               Shape{3, 17, 31, 33}, Shape{1, 98, 64, 64}})
      expect_norm(device, shape, epilogue);
}

TEST(GpuInstanceNorm, AMeanFarFromZeroKeepsItsDigits) {
  VULTUS_NEED_GPU(device);
  expect_norm(device, {1, 5, 20, 20}, {}, 100, 101);
}

}  // namespace
}  // namespace vultus
