#include <gtest/gtest.h>

#include "tests/cpu/net.hpp"

namespace vultus::test {
namespace {

struct Case {
  int64_t channels, outputs, height, width, kernel_height, kernel_width, stride;
  Ints pads;
  Activation activation = Activation::silu;
  int64_t batch = 1;
};

TEST(Stem, ImagesOfFewChannelsAgreeWithThePlainKernel) {
  const Case cases[] = {
      {3, 32, 64, 48, 3, 3, 2, {1, 1, 1, 1}, Activation::leaky_relu},
      {3, 32, 56, 56, 3, 3, 2, {0, 0, 1, 1}},
      {1, 32, 29, 31, 5, 5, 1, {2, 2, 2, 2}, Activation::relu},
      {4, 32, 17, 60, 7, 7, 2, {3, 3, 3, 3}, Activation::none, 2},
      {3, 32, 5, 3, 3, 3, 1, {1, 1, 1, 1}},
      {2, 32, 9, 40, 1, 3, 3, {0, 2, 0, 0}, Activation::none},
      {3, 32, 1, 1, 3, 3, 2, {1, 1, 1, 1}, Activation::leaky_relu},
      {3, 24, 20, 20, 3, 3, 2, {1, 1, 1, 1}},
  };
  for (const Case& c : cases) {
    Net net;
    ValueId x = net.input({c.batch, c.channels, c.height, c.width}, 1);
    Attributes attributes{{"strides", Ints{c.stride, c.stride}}, {"pads", c.pads}};
    ValueId y = net.node(
        "Conv",
        {x, net.random({c.outputs, c.channels, c.kernel_height, c.kernel_width}, 2, -0.3f, 0.3f),
         net.random({c.outputs}, 3)},
        with(std::move(attributes), {.kind = c.activation, .alpha = 0.1f}));
    net.output(y);
    net.expect_agreement(2e-6, std::to_string(c.outputs) + " outputs of " +
                                   std::to_string(c.height) + "x" + std::to_string(c.width));
  }
}

}  // namespace
}  // namespace vultus::test
