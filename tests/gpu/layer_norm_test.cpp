#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

void expect_layer_norm(Device& device, const Shape& shape, int axis, bool biased) {
  SCOPED_TRACE(shape.str() + " axis " + std::to_string(axis));
  Tensor x = test::random_halves(shape, 1, 2, 4);
  Shape row(shape.dims().subspan(static_cast<size_t>(axis)));
  Tensor scale = test::random_halves(row, 2), bias = test::random_halves(row, 3);
  test::OpCase what{.op = "LayerNormalization",
                    .attributes = {{"axis", int64_t{axis}}, {"epsilon", 1e-3f}}};
  what.operands.push_back({x.clone()});
  what.operands.push_back(test::constant(scale.clone()));
  if (biased) what.operands.push_back(test::constant(bias.clone()));
  what.tolerance_fp32 = 1e-5;  // sums in another order
  what.outputs = biased ? 3 : 1;
  test::expect_op(device, what, [&](size_t output, const test::Index& i) {
    auto split = i.begin() + axis;
    double sum = 0, squares = 0, n = static_cast<double>(row.elements());
    auto visit = [&](auto&& use) {
      test::for_each(row, [&](const test::Index& step) {
        test::Index at(i.begin(), split);
        at.insert(at.end(), step.begin(), step.end());
        use(test::element(x, at));
      });
    };
    visit([&](double v) { sum += v; });
    visit([&](double v) { squares += (v - sum / n) * (v - sum / n); });
    const double inverse = 1 / std::sqrt(squares / n + 1e-3);
    if (output > 0) return output == 1 ? sum / n : inverse;
    test::Index own(split, i.end());
    double v = (test::element(x, i) - sum / n) * inverse;
    return v * test::element(scale, own) + (biased ? test::element(bias, own) : 0);
  });
}

TEST(GpuLayerNorm, RowsOfOneAndSeveralAxes) {
  VULTUS_NEED_GPU(device);
  expect_layer_norm(device, {5, 200}, 1, true);
  expect_layer_norm(device, {2, 3, 17}, 2, false);
  expect_layer_norm(device, {2, 5, 3, 4}, 1, true);
  expect_layer_norm(device, {2, 5, 3, 4}, 3, true);
}

}  // namespace
}  // namespace vultus
