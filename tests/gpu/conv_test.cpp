#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/gpu/dice.hpp"
#include "tests/gpu/lanes.hpp"

namespace vultus {
namespace {

using test::Dice;
using test::Integers;

struct ConvCase {
  int64_t batch = 1, in = 8, out = 8, group = 1, h = 8, w = 8;
  int64_t kernel_h = 3, kernel_w = 3, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  Integers pads{0, 0, 0, 0};
  bool bias = true, residual = false;
  Epilogue epilogue{};
  uint32_t seed = 1;

  int64_t reach_h() const { return (kernel_h - 1) * dilation_h + 1; }
  int64_t reach_w() const { return (kernel_w - 1) * dilation_w + 1; }
  int64_t out_h() const { return (h + pads[0] + pads[2] - reach_h()) / stride_h + 1; }
  int64_t out_w() const { return (w + pads[1] + pads[3] - reach_w()) / stride_w + 1; }
  std::string str() const {
    return fmt::format(
        "seed {}: {}x{}x{}x{} -> {} channels, group {}, kernel {}x{}, stride {}x{}, dilation "
        "{}x{}, "
        "pads {} {} {} {}, bias {}, residual {}, activation {}",
        seed, batch, in, h, w, out, group, kernel_h, kernel_w, stride_h, stride_w, dilation_h,
        dilation_w, pads[0], pads[1], pads[2], pads[3], bias, residual,
        static_cast<int>(epilogue.kind));
  }
};

std::vector<double> reference(const ConvCase& c, const test::OpCase& what) {
  const float* x = what.operands[0].tensor.as<float>().data();
  const float* weights = what.operands[1].tensor.as<float>().data();
  const int64_t ins = c.in / c.group, outs = c.out / c.group, oh = c.out_h(), ow = c.out_w();
  std::vector<double> result;
  for (int64_t n = 0; n < c.batch; ++n)
    for (int64_t o = 0; o < c.out; ++o)
      for (int64_t y = 0; y < oh; ++y)
        for (int64_t column = 0; column < ow; ++column) {
          double sum = 0;
          if (c.bias)
            sum = static_cast<double>(what.operands[2].tensor.as<float>()[static_cast<size_t>(o)]);
          for (int64_t i = 0; i < ins; ++i)
            for (int64_t ky = 0; ky < c.kernel_h; ++ky)
              for (int64_t kx = 0; kx < c.kernel_w; ++kx) {
                const int64_t iy = y * c.stride_h + ky * c.dilation_h - c.pads[0];
                const int64_t ix = column * c.stride_w + kx * c.dilation_w - c.pads[1];
                if (iy < 0 || ix < 0 || iy >= c.h || ix >= c.w) continue;
                const int64_t channel = o / outs * ins + i;
                sum += static_cast<double>(x[((n * c.in + channel) * c.h + iy) * c.w + ix]) *
                       static_cast<double>(
                           weights[((o * ins + i) * c.kernel_h + ky) * c.kernel_w + kx]);
              }
          if (c.residual)
            sum += static_cast<double>(what.operands[3].tensor.as<float>()[result.size()]);
          result.push_back(test::activated(sum, c.epilogue));
        }
  return result;
}

void expect_conv(Device& device, const ConvCase& c,
                 const std::vector<Precision>& precisions = {Precision::fp32, Precision::fp16}) {
  SCOPED_TRACE(c.str());
  test::OpCase what{.op = "Conv"};
  what.attributes = test::with_epilogue({{"strides", Integers{c.stride_h, c.stride_w}},
                                         {"dilations", Integers{c.dilation_h, c.dilation_w}},
                                         {"pads", c.pads},
                                         {"group", c.group}},
                                        c.epilogue);
  what.operands.push_back({test::random_halves({c.batch, c.in, c.h, c.w}, c.seed)});
  what.operands.push_back(test::constant(
      test::random_halves({c.out, c.in / c.group, c.kernel_h, c.kernel_w}, c.seed + 1)));
  what.operands.push_back(c.bias ? test::constant(test::random_halves({c.out}, c.seed + 2))
                                 : test::Operand{});
  if (c.residual)
    what.operands.push_back(
        {test::random_halves({c.batch, c.out, c.out_h(), c.out_w()}, c.seed + 3)});
  test::expect_lanes(device, what, reference(c, what), precisions);
}

// Sizes, strides, dilations and pads of a window that fits.
ConvCase random_window(uint32_t seed, Dice& dice) {
  ConvCase c;
  c.seed = seed;
  c.batch = dice.among({1, 1, 1, 2, 3});
  c.kernel_h = dice.of(1, 5);
  c.kernel_w = dice.of(1, 5);
  c.stride_h = dice.of(1, 3);
  c.stride_w = dice.of(1, 3);
  c.dilation_h = dice.of(1, 3);
  c.dilation_w = dice.of(1, 3);
  for (int64_t& pad : c.pads)
    pad = dice.of(0, 3);
  c.h = std::max(dice.of(1, 31), c.reach_h() - c.pads[0] - c.pads[2]);
  c.w = std::max(dice.of(1, 33), c.reach_w() - c.pads[1] - c.pads[3]);
  c.bias = dice.of(0, 3) != 0;
  c.residual = dice.of(0, 2) == 0;
  c.epilogue.kind = dice.of(0, 1) ? Activation::relu : Activation::none;
  return c;
}

const Integers kChannels{1, 3, 7, 8, 9, 15, 16, 17, 31, 40};

TEST(GpuConv, RandomWindowsMatchTheReference) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 0; seed < 200; ++seed) {
    Dice dice(seed);
    ConvCase c = random_window(seed, dice);
    c.in = dice.among(kChannels);
    c.out = dice.among(kChannels);
    expect_conv(device, c, test::alternate(seed));
  }
}

TEST(GpuConv, RandomPointwiseConvolutionsMatchTheReference) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 1000; seed < 1200; ++seed) {
    Dice dice(seed);
    ConvCase c = random_window(seed, dice);
    c.kernel_h = c.kernel_w = 1;
    if (dice.of(0, 1)) c.stride_h = c.stride_w = 1;
    if (dice.of(0, 3)) c.pads = {0, 0, 0, 0};
    c.h = dice.of(1, 12);
    c.w = dice.of(1, 12);
    c.in = dice.among({1, 3, 7, 8, 9, 16, 17, 98, 261});
    c.out = dice.among({1, 3, 7, 8, 9, 16, 17, 98, 261});
    expect_conv(device, c, test::alternate(seed));
  }
}

TEST(GpuConv, RandomDepthwiseConvolutionsMatchTheReference) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 2000; seed < 2200; ++seed) {
    Dice dice(seed);
    ConvCase c = random_window(seed, dice);
    c.in = c.out = c.group = dice.among({2, 3, 7, 8, 9, 15, 16, 17, 98, 261});
    expect_conv(device, c, test::alternate(seed));
  }
}

TEST(GpuConv, RandomGroupsOfAnySizeMatchTheReference) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 3000; seed < 3200; ++seed) {
    Dice dice(seed);
    ConvCase c = random_window(seed, dice);
    c.group = dice.of(2, 12);
    c.in = c.group * dice.of(1, 17);
    c.out = c.group * dice.of(1, 17);
    c.h = std::max(std::min<int64_t>(c.h, 9), c.reach_h() - c.pads[0] - c.pads[2]);
    expect_conv(device, c, test::alternate(seed));
  }
}

TEST(GpuConv, SizesOfTheNetworks) {
  VULTUS_NEED_GPU(device);
  expect_conv(device, {.in = 3,
                       .out = 64,
                       .h = 33,
                       .w = 47,
                       .kernel_h = 7,
                       .kernel_w = 7,
                       .stride_h = 2,
                       .stride_w = 2,
                       .pads = {3, 3, 3, 3}});
  expect_conv(device, {.in = 256, .out = 256, .h = 4, .w = 4, .pads = {1, 1, 1, 1}});
  expect_conv(device, {.in = 261, .out = 98, .h = 16, .w = 16, .kernel_h = 1, .kernel_w = 1});
  expect_conv(device, {.in = 96, .out = 98, .h = 7, .w = 7, .kernel_h = 7, .kernel_w = 7});
  expect_conv(device, {.in = 1152, .out = 48, .h = 1, .w = 1, .kernel_h = 1, .kernel_w = 1});
  expect_conv(device, {.in = 16,
                       .out = 16,
                       .h = 20,
                       .w = 15,
                       .dilation_h = 5,
                       .dilation_w = 5,
                       .pads = {5, 5, 5, 5}});
}

TEST(GpuConv, EveryActivationFollowsTheResidual) {
  VULTUS_NEED_GPU(device);
  uint32_t seed = 4000;
  for (const Epilogue& epilogue : test::kEpilogues) {
    // One column: the variant of the kernel that compiles fastest.
    expect_conv(device, {.in = 9,
                         .out = 11,
                         .h = 30,
                         .w = 1,
                         .kernel_h = 1,
                         .kernel_w = 1,
                         .residual = true,
                         .epilogue = epilogue,
                         .seed = seed++});
    expect_conv(device, {.in = 11,
                         .out = 11,
                         .group = 11,
                         .h = 5,
                         .w = 6,
                         .stride_w = 2,
                         .pads = {1, 1, 1, 1},
                         .residual = true,
                         .epilogue = epilogue,
                         .seed = seed++});
  }
}

TEST(GpuConv, AutomaticPaddingMatchesThePadsItStandsFor) {
  VULTUS_NEED_GPU(device);
  ConvCase c{.in = 5,
             .out = 6,
             .h = 10,
             .w = 13,
             .kernel_h = 4,
             .kernel_w = 3,
             .stride_h = 3,
             .stride_w = 2,
             .bias = false};
  for (bool upper : {true, false}) {
    // ceil(10 / 3) = 4 rows need 3 rows of padding, ceil(13 / 2) = 7 columns need 2.
    c.pads = upper ? Integers{1, 1, 2, 1} : Integers{2, 1, 1, 1};
    test::OpCase what{
        .op = "Conv",
        .attributes = {{"strides", Integers{3, 2}},
                       {"auto_pad", std::string(upper ? "SAME_UPPER" : "SAME_LOWER")}}};
    what.operands.push_back({test::random_halves({1, 5, 10, 13}, 1)});
    what.operands.push_back(test::constant(test::random_halves({6, 5, 4, 3}, 2)));
    test::expect_lanes(device, what, reference(c, what));
  }
}

TEST(GpuConv, WeightsComputedAtRunTimeAreRefusedWithAReason) {
  VULTUS_NEED_GPU(device);
  std::vector<test::Operand> operands;
  operands.push_back({Tensor(DType::f32, {1, 2, 4, 4})});
  operands.push_back({Tensor(DType::f32, {2, 2, 3, 3})});
  auto graph = test::single_node("Conv", {}, operands);
  ASSERT_TRUE(graph) << graph.error().what;
  Support support = device.supports(*graph, graph->nodes[0], Precision::fp32);
  EXPECT_FALSE(support.ok);
  EXPECT_NE(support.reason.find("weights computed at run time"), std::string::npos)
      << support.reason;
}

}  // namespace
}  // namespace vultus
