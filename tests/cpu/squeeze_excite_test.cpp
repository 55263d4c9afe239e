#include "host/ops/squeeze_excite.hpp"

#include "tests/cpu/net.hpp"

namespace vultus {
namespace {

using test::Net;

ValueId gate(Net& net, ValueId x, int64_t hidden, const Epilogue& squeeze, const Epilogue& excite) {
  const int64_t channels = net.graph.shape(x)[1];
  Node node;
  set_squeeze_epilogue(node, squeeze);
  set_epilogue(node, excite);
  return net.node("SqueezeExcite",
                  {x, net.random({hidden, channels, 1, 1}, 50), net.random({hidden}, 51),
                   net.random({channels, hidden, 1, 1}, 52), net.random({channels}, 53)},
                  std::move(node.attributes));
}

ValueId scaled_conv(Net& net, ValueId x, int64_t outputs, ValueId scale, ValueId residual) {
  const int64_t channels = net.graph.shape(x)[1];
  return net.node("Conv", {x, net.random({outputs, channels, 1, 1}, 60), net.random({outputs}, 61),
                           residual, kNoValue, scale});
}

/// Gate and scaled convolution; `outputs` on either side of the number of pixels decide whether
/// weights or pixels are scaled. x is read once more, so that it must not be written over.
void finish(Net& net, ValueId x, int64_t outputs) {
  ValueId scale = gate(net, x, 5, {Activation::silu}, {Activation::sigmoid});
  net.output(scaled_conv(net, x, outputs, scale, kNoValue));
  net.output(net.conv(x, 3, 1, 70));
}

TEST(CpuSqueezeExcite, EveryLayoutMatchesThePlainKernel) {
  for (int64_t channels : {1, 3, 8, 9, 16, 17, 40, 98, 200})
    for (int64_t outputs : {4, 48, 98}) {
      Net plain, last, blocked, batch;
      finish(plain, plain.input({1, channels, 6, 7}, 1), outputs);
      finish(last, last.channels_last(channels, 6, 7, 1), outputs);
      finish(blocked, blocked.blocked(channels, 6, 7, 1), outputs);
      finish(batch, batch.input({3, channels, 6, 7}, 1), outputs);
      std::string what = std::to_string(channels) + " to " + std::to_string(outputs);
      plain.expect_agreement(1e-5, "plain, " + what);
      last.expect_agreement(1e-5, "channels last, " + what);
      blocked.expect_agreement(1e-5, "blocked, " + what);  // Winograd before it
      batch.expect_agreement(1e-5, "batch, " + what);
    }
}

TEST(CpuSqueezeExcite, TheResidualMayBeTheInputItself) {
  for (int64_t channels : {16, 48}) {
    Net net;
    ValueId x = net.channels_last(channels, 5, 6, 1);
    ValueId scale = gate(net, x, 7, {Activation::relu}, {Activation::hard_sigmoid, 0.2f, 0.5f});
    net.output(scaled_conv(net, x, channels, scale, x));
    net.expect_agreement(1e-5, std::to_string(channels));
  }
}

TEST(CpuSqueezeExcite, WeightsOfTheInputRunPlain) {
  Net net;
  ValueId x = net.input({1, 6, 3, 3}, 1);
  net.output(net.node("SqueezeExcite", {x, net.input({2, 6, 1, 1}, 2), kNoValue,
                                        net.random({6, 2, 1, 1}, 3), kNoValue}));
  net.expect_agreement(1e-6);
}

}  // namespace
}  // namespace vultus
