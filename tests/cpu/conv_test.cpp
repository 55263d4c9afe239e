#include "tests/cpu/net.hpp"

namespace vultus {
namespace {

using test::Attributes;
using test::Ints;
using test::Net;
using test::random_tensor;
using test::with;

// Sums of up to a thousand products in another order: 1e-6 is a few units in the last place.
constexpr double kTolerance = 2e-6;

struct Case {
  int64_t in, out, groups, kernel, stride, dilation;
};

TEST(CpuConv, ChannelsThatFillNoBlockMatchThePlainKernel) {
  for (int64_t in : {1, 3, 7, 8, 9, 16, 17, 98})
    for (int64_t out : {1, 3, 8, 17, 98}) {
      Net net;
      ValueId x = net.input({1, in, 7, 9}, 1);
      net.output(net.conv(x, out, 3, 2));
      net.expect_agreement(kTolerance, std::to_string(in) + " to " + std::to_string(out));
    }
}

TEST(CpuConv, StridesDilationsAndGroupsMatchThePlainKernel) {
  for (Case c : {Case{16, 16, 1, 3, 2, 1},
                 {16, 32, 1, 1, 2, 1},
                 {12, 24, 3, 3, 1, 1},
                 {32, 32, 2, 3, 2, 1},
                 {16, 8, 1, 3, 1, 2},
                 {8, 8, 8, 3, 1, 1},
                 {17, 17, 17, 3, 2, 1},
                 {98, 98, 98, 5, 1, 1},
                 {9, 18, 9, 3, 1, 1},
                 {3, 8, 1, 7, 2, 1},
                 {8, 8, 8, 3, 1, 3}}) {
    Net net;
    ValueId x = net.input({2, c.in, 13, 11}, 1);
    ValueId w = net.random({c.out, c.in / c.groups, c.kernel, c.kernel}, 2);
    net.output(net.node("Conv", {x, w, net.random({c.out}, 3)},
                        {{"group", c.groups},
                         {"strides", Ints{c.stride, c.stride}},
                         {"dilations", Ints{c.dilation, c.dilation}},
                         {"pads", Ints{1, 1, 1, 1}}}));
    net.expect_agreement(
        kTolerance, "groups " + std::to_string(c.groups) + " kernel " + std::to_string(c.kernel));
  }
}

TEST(CpuConv, UnevenPaddingMatchesThePlainKernel) {
  for (const Attributes& attributes :
       {Attributes{{"pads", Ints{0, 1, 2, 3}}}, Attributes{{"auto_pad", std::string("SAME_UPPER")}},
        Attributes{{"auto_pad", std::string("SAME_LOWER")}},
        Attributes{{"auto_pad", std::string("VALID")}}}) {
    Net net;
    Attributes all = attributes;
    all["strides"] = Ints{2, 2};
    net.output(net.node("Conv", {net.input({1, 5, 10, 9}, 1), net.random({6, 5, 4, 3}, 2)}, all));
    net.expect_agreement(kTolerance);
  }
}

TEST(CpuConv, EveryActivationFuses) {
  for (Epilogue e : {Epilogue{Activation::relu},
                     {Activation::leaky_relu, 0.1f},
                     {Activation::sigmoid},
                     {Activation::silu},
                     {Activation::clip, -0.3f, 0.4f},
                     {Activation::clip, 0.1f, 0.4f},
                     {Activation::hard_sigmoid, 0.2f, 0.5f},
                     {Activation::hard_swish},
                     {Activation::tanh}}) {
    Net net;
    net.output(net.conv(net.input({1, 12, 9, 9}, 1), 17, 3, 2, with({}, e)));
    net.expect_agreement(kTolerance, "activation " + std::to_string(static_cast<int>(e.kind)));
    Net deep;  // in blocked layouts, with Winograd
    ValueId x = deep.blocked(32, 9, 9, 1);
    deep.output(deep.conv(deep.conv(x, 48, 3, 20, with({}, e)), 7, 1, 30, with({}, e)));
    deep.expect_agreement(1e-5, "blocked, activation " + std::to_string(static_cast<int>(e.kind)));
  }
}

TEST(CpuConv, WeightsComputedAtRunTimeAreConverted) {
  Net net;
  ValueId x = net.input({1, 8, 6, 6}, 1), w = net.input({16, 8, 3, 3}, 2);
  net.output(net.node("Conv", {x, w}));
  net.expect_agreement(kTolerance);
}

TEST(CpuConv, AResidualThatDiesIsWrittenOver) {
  Net net;
  ValueId x = net.channels_last(24, 8, 8, 1);
  ValueId y = net.conv(x, 24, 1, 10);
  net.output(net.conv(y, 24, 3, 20, with({}, {Activation::relu}), {x}));
  net.expect_agreement(kTolerance);
}

TEST(CpuConv, AResidualThatIsReadLaterSurvives) {
  Net net;
  ValueId x = net.channels_last(24, 8, 8, 1);
  ValueId y = net.conv(x, 24, 3, 10, with({}, {Activation::relu}), {x});
  ValueId z = net.conv(y, 24, 3, 20, {}, {x});
  net.output(net.node("Add", {z, x}));
  net.expect_agreement(kTolerance);
}

TEST(CpuConv, AResidualThatIsAnInputAConstantOrAnOutputSurvives) {
  Net net;
  ValueId x = net.input({1, 16, 8, 8}, 1);
  ValueId y = net.conv(x, 16, 3, 10, with({}, {Activation::relu}), {x});
  net.output(y);
  ValueId z = net.conv(y, 16, 3, 20, {}, {net.random({1, 16, 8, 8}, 30)});
  net.output(net.conv(z, 16, 1, 40, {}, {y}));
  net.expect_agreement(kTolerance);
}

TEST(CpuConv, BlockedResidualsOfBothKindsMatch) {
  Net net;
  ValueId x = net.blocked(32, 10, 10, 1);
  ValueId y = net.conv(x, 32, 3, 20, with({}, {Activation::relu}), {x});
  ValueId z = net.conv(y, 32, 3, 30, with({}, {Activation::leaky_relu, 0.1f}), {x});
  net.output(net.conv(z, 98, 1, 40));
  net.output(net.conv(z, 32, 1, 50, {}, {net.random({1, 32, 10, 10}, 60)}));
  net.expect_agreement(1e-5);  // Winograd
}

TEST(CpuConv, TransposedMatchesThePlainKernel) {
  for (int64_t groups : {1, 2})
    for (Attributes attributes :
         {Attributes{{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}},
          Attributes{{"strides", Ints{2, 2}}, {"pads", Ints{0, 1, 1, 0}}},
          Attributes{{"strides", Ints{2, 2}}, {"output_padding", Ints{1, 1}}},
          Attributes{{"strides", Ints{2, 2}}, {"output_shape", Ints{11, 14}}},
          Attributes{{"strides", Ints{2, 2}}, {"output_shape", Ints{13, 17}}},
          Attributes{{"strides", Ints{2, 2}},
                     {"output_shape", Ints{9, 13}},
                     {"auto_pad", std::string("SAME_UPPER")}},
          Attributes{{"dilations", Ints{2, 2}}}}) {
      Net net;
      attributes["group"] = groups;
      ValueId x = net.input({1, 8, 5, 7}, 1);
      ValueId w = net.random({8, 6, 4, 4}, 2);
      net.output(net.node("ConvTranspose", {x, w, net.random({6 * groups}, 3)}, attributes));
      net.expect_agreement(kTolerance, "groups " + std::to_string(groups));
    }
}

}  // namespace
}  // namespace vultus
