#include "host/ops/squeeze_excite.hpp"

#include <cmath>

#include "tests/ops/run_op.hpp"

namespace vultus::test {
namespace {

Attributes attributes(const Epilogue& squeeze, const Epilogue& gate) {
  Node node;
  set_squeeze_epilogue(node, squeeze);
  set_epilogue(node, gate);
  return std::move(node.attributes);
}

TEST(SqueezeExcite, IsTwoSmallLayersOnTheMeanOfEveryChannel) {
  // Means 1 and 3; hidden relu(1 - 3 + 1) = 0 and relu(2 + 3 - 1) = 4.
  auto inputs = operands(floats({1, 2, 1, 2}, {0, 2, 4, 2}), floats({2, 2, 1, 1}, {1, -1, 2, 1}),
                         floats({2}, {1, -1}), floats({2, 2, 1, 1}, {5, 0.25f, 5, -0.5f}),
                         floats({2}, {0, 1}));
  Tensor out = run("SqueezeExcite", attributes({Activation::relu}, {Activation::sigmoid}), inputs);
  EXPECT_EQ(out.shape(), (Shape{1, 2, 1, 1}));
  EXPECT_NEAR(out.as<float>()[0], 1 / (1 + std::exp(-1.0)), 1e-7);
  EXPECT_NEAR(out.as<float>()[1], 1 / (1 + std::exp(1.0)), 1e-7);
}

TEST(SqueezeExcite, WorksWithoutBiasesAndOnEveryImageByItself) {
  auto inputs = operands(floats({2, 1, 1, 2}, {1, 3, -1, -3}), floats({1, 1, 1, 1}, {2}), Tensor(),
                         floats({1, 1, 1, 1}, {3}));
  EXPECT_EQ(values<float>(run("SqueezeExcite", {}, inputs)), (std::vector<float>{12, -12}));
}

TEST(SqueezeExcite, WeightsThatDoNotFitAreRefused) {
  const Tensor x = iota({1, 4, 2, 2});
  expect_in("squeeze weights",
            refusal("SqueezeExcite", {},
                    operands(x.clone(), iota({2, 3, 1, 1}), Tensor(), iota({4, 2, 1, 1}))));
  expect_in("excite weights",
            refusal("SqueezeExcite", {},
                    operands(x.clone(), iota({2, 4, 1, 1}), Tensor(), iota({4, 3, 1, 1}))));
  expect_in("squeeze bias",
            refusal("SqueezeExcite", {},
                    operands(x.clone(), iota({2, 4, 1, 1}), iota({3}), iota({4, 2, 1, 1}))));
  expect_in("excite bias", refusal("SqueezeExcite", {},
                                   operands(x.clone(), iota({2, 4, 1, 1}), Tensor(),
                                            iota({4, 2, 1, 1}), iota({2}))));
  expect_in("no image",
            refusal("SqueezeExcite", {},
                    operands(iota({1, 4}), iota({2, 4, 1, 1}), Tensor(), iota({4, 2, 1, 1}))));
}

TEST(Conv, AScaleMultipliesTheInputPerImageAndChannel) {
  Tensor out = run("Conv", {},
                   operands(floats({2, 2, 1, 1}, {1, 2, 3, 4}), floats({1, 2, 1, 1}, {1, 10}),
                            Tensor(), Tensor(), Tensor(), floats({2, 2, 1, 1}, {5, 6, 7, 8})));
  EXPECT_EQ(values<float>(out), (std::vector<float>{125, 341}));
  expect_in("scale", refusal("Conv", {},
                             operands(iota({2, 2, 1, 1}), iota({1, 2, 1, 1}), Tensor(), Tensor(),
                                      Tensor(), iota({1, 2, 1, 1}))));
}

}  // namespace
}  // namespace vultus::test
