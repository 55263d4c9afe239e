#include <gtest/gtest.h>

#include "tests/cpu/net.hpp"

namespace vultus::test {
namespace {

TEST(Linear, FewRowsAgainstManyWeightsAgreeWithThePlainKernel) {
  for (int64_t rows : {1, 2, 3, 4, 5, 8, 13, 16})
    for (int64_t depth : {640, 1289})
      for (Activation activation : {Activation::none, Activation::relu, Activation::sigmoid}) {
        Net net;
        ValueId x = net.input({rows, depth}, 1);
        Attributes attributes = with({{"transB", int64_t{1}}}, {.kind = activation});
        net.output(net.node("Gemm",
                            {x, net.random({203, depth}, 2, -0.1f, 0.1f), net.random({203}, 3)},
                            std::move(attributes)));
        net.expect_agreement(2e-6, std::to_string(rows) + " rows of " + std::to_string(depth));
      }
}

TEST(Linear, SomeRowsAgainstPanelsOfWeightsAgreeWithThePlainKernel) {
  for (int64_t rows : {5, 8, 13, 16, 17})
    for (int64_t transposed : {0, 1}) {
      Net net;
      ValueId x = net.input({rows, 999}, 1);
      Shape shape = transposed ? Shape{224, 999} : Shape{999, 224};
      net.output(
          net.node("Gemm", {x, net.random(shape, 2, -0.1f, 0.1f), net.random({224}, 3)},
                   with({{"transB", transposed}, {"alpha", 0.5f}}, {.kind = Activation::relu})));
      net.expect_agreement(2e-6, std::to_string(rows) + " rows");
    }
}

TEST(Linear, AlphaBetaAndWeightsInRowsAgreeWithThePlainKernel) {
  Net net;
  ValueId x = net.input({1, 512}, 1);
  net.output(net.node("Gemm", {x, net.random({512, 200}, 2, -0.1f, 0.1f), net.random({200}, 3)},
                      {{"alpha", 0.5f}, {"beta", 2.0f}}));
  net.expect_agreement();
}

}  // namespace
}  // namespace vultus::test
