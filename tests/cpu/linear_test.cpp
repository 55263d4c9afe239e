#include <gtest/gtest.h>

#include "tests/cpu/net.hpp"

namespace vultus::test {
namespace {

TEST(Linear, FewRowsAgainstManyWeightsAgreeWithThePlainKernel) {
  for (int64_t rows : {1, 2, 3, 4, 5})
    for (int64_t depth : {640, 1280, 1289})
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

TEST(Linear, AlphaBetaAndWeightsInRowsAgreeWithThePlainKernel) {
  Net net;
  ValueId x = net.input({1, 512}, 1);
  net.output(net.node("Gemm", {x, net.random({512, 200}, 2, -0.1f, 0.1f), net.random({200}, 3)},
                      {{"alpha", 0.5f}, {"beta", 2.0f}}));
  net.expect_agreement();
}

}  // namespace
}  // namespace vultus::test
