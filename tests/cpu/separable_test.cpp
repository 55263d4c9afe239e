#include "host/cpu/separable.hpp"

#include <gtest/gtest.h>

#include "tests/cpu/net.hpp"

namespace vultus::test {
namespace {

struct Pair {
  int64_t depth, channels, height, width, kernel, stride;
  Ints pads;
  Activation activation = Activation::silu;
  int64_t batch = 1;
};

ValueId expand(Net& net, const Pair& p) {
  ValueId x = net.input({p.batch, p.depth, p.height, p.width}, 1);
  return net.conv(x, p.channels, 1, 2, with({}, {.kind = Activation::silu}));
}

ValueId filter(Net& net, ValueId x, const Pair& p) {
  Attributes attributes{
      {"group", p.channels}, {"strides", Ints{p.stride, p.stride}}, {"pads", p.pads}};
  float spread = 1.5f / static_cast<float>(p.kernel);
  return net.node("Conv",
                  {x, net.random({p.channels, 1, p.kernel, p.kernel}, 3, -spread, spread),
                   net.random({p.channels}, 4)},
                  with(std::move(attributes), {.kind = p.activation, .alpha = 0.1f}));
}

TEST(Separable, PairsOfEveryKernelAndStrideAgreeWithThePlainKernels) {
  const Pair pairs[] = {
      {8, 32, 14, 14, 3, 1, {1, 1, 1, 1}},
      {24, 48, 28, 28, 3, 2, {0, 0, 1, 1}},
      {5, 16, 9, 13, 5, 1, {2, 2, 2, 2}},
      {20, 80, 11, 17, 5, 2, {1, 1, 2, 2}},
      {16, 64, 7, 7, 5, 1, {2, 2, 2, 2}, Activation::none},
      {17, 32, 40, 24, 3, 1, {1, 1, 1, 1}, Activation::leaky_relu},
      {3, 96, 112, 56, 3, 2, {0, 0, 1, 1}, Activation::relu},
      {12, 48, 20, 8, 3, 1, {0, 1, 2, 1}, Activation::silu, 3},
      {4, 32, 1, 1, 3, 1, {1, 1, 1, 1}},
  };
  for (const Pair& p : pairs) {
    Net net;
    net.output(filter(net, expand(net, p), p));
    net.expect_agreement(
        2e-6, std::to_string(p.channels) + " channels, " + std::to_string(p.height) + " rows:");
  }
}

TEST(Separable, AStridedConvolutionOfAPaddedMapIsNoExpansion) {
  Net net;
  ValueId x = net.input({1, 16, 3, 3}, 1);
  ValueId y = net.conv(
      x, 32, 1, 2,
      with({{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}}, {.kind = Activation::silu}));
  net.output(filter(net, y, {16, 32, 3, 3, 3, 1, {1, 1, 1, 1}}));
  net.expect_agreement();
}

TEST(Separable, AValueThatOthersReadIsStillComputed) {
  const Pair p{8, 32, 14, 14, 3, 1, {1, 1, 1, 1}};
  Net shared;
  ValueId x = expand(shared, p);
  shared.output(shared.node("Add", {x, filter(shared, x, p)}));
  shared.expect_agreement();
  Net seen;
  x = expand(seen, p);
  seen.output(filter(seen, x, p));
  seen.output(x);
  seen.expect_agreement();
}

TEST(Separable, TheInputMayBeWrittenOverOnlyAfterThePair) {
  const Pair p{32, 32, 14, 14, 3, 1, {1, 1, 1, 1}};
  Net net;
  ValueId x = net.channels_last(32, 14, 14, 1);
  ValueId wide = net.conv(x, 32, 1, 2, with({}, {.kind = Activation::silu}));
  ValueId changed = net.node("Relu", {x});
  net.output(net.node("Add", {filter(net, wide, p), changed}));
  net.expect_agreement();
}

TEST(Separable, StripsFitTheCacheAndGiveEveryThreadWork) {
  cpu::Separable s{};
  s.batch = 1;
  s.channels = 96;
  s.in_height = s.in_width = 112;
  s.out_height = s.out_width = 56;
  s.kernel = 3;
  s.stride = 2;
  s.plan(2);
  EXPECT_LT(s.strip, 56);
  EXPECT_LE(s.buffer_floats() * 4, 512 << 10);
  s.in_height = s.in_width = s.out_height = s.out_width = 7;
  s.stride = 1;
  s.plan(64);
  EXPECT_EQ(s.strip, 7);
}

}  // namespace
}  // namespace vultus::test
