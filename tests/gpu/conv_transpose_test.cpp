#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/gpu/dice.hpp"
#include "tests/gpu/lanes.hpp"

namespace vultus {
namespace {

using test::Integers;

struct Case {
  int64_t batch = 1, in = 8, out = 8, group = 1, h = 5, w = 6;
  Integers kernel{3, 3}, stride{1, 1}, dilation{1, 1}, pads{0, 0, 0, 0}, extra{0, 0};
  Epilogue epilogue{};
  uint32_t seed = 1;

  int64_t out_size(size_t axis) const {
    return ((axis == 0 ? h : w) - 1) * stride[axis] + (kernel[axis] - 1) * dilation[axis] + 1 +
           extra[axis] - pads[axis] - pads[axis + 2];
  }
};

// Scatters every input into the outputs it reaches.
std::vector<double> reference(const Case& c, const test::OpCase& what) {
  auto x = what.operands[0].tensor.as<float>(), weights = what.operands[1].tensor.as<float>();
  auto bias = what.operands[2].tensor.as<float>();
  const int64_t ins = c.in / c.group, outs = c.out / c.group;
  const int64_t oh = c.out_size(0), ow = c.out_size(1);
  std::vector<double> result(static_cast<size_t>(c.batch * c.out * oh * ow));
  for (size_t i = 0; i < result.size(); ++i)
    result[i] =
        static_cast<double>(bias[i / static_cast<size_t>(oh * ow) % static_cast<size_t>(c.out)]);
  size_t at = 0;
  for (int64_t n = 0; n < c.batch; ++n)
    for (int64_t i = 0; i < c.in; ++i)
      for (int64_t y = 0; y < c.h; ++y)
        for (int64_t column = 0; column < c.w; ++column, ++at)
          for (int64_t o = 0; o < outs; ++o)
            for (int64_t ky = 0; ky < c.kernel[0]; ++ky)
              for (int64_t kx = 0; kx < c.kernel[1]; ++kx) {
                const int64_t oy = y * c.stride[0] + ky * c.dilation[0] - c.pads[0];
                const int64_t ox = column * c.stride[1] + kx * c.dilation[1] - c.pads[1];
                if (oy < 0 || ox < 0 || oy >= oh || ox >= ow) continue;
                const int64_t channel = i / ins * outs + o;
                result[static_cast<size_t>(((n * c.out + channel) * oh + oy) * ow + ox)] +=
                    static_cast<double>(x[at]) *
                    static_cast<double>(weights[static_cast<size_t>(
                        ((i * outs + o) * c.kernel[0] + ky) * c.kernel[1] + kx)]);
              }
  for (double& v : result)
    v = test::activated(v, c.epilogue);
  return result;
}

void expect_transposed(Device& device, const Case& c) {
  SCOPED_TRACE(fmt::format("seed {}", c.seed));
  test::OpCase what{.op = "ConvTranspose"};
  what.attributes = test::with_epilogue({{"strides", c.stride},
                                         {"dilations", c.dilation},
                                         {"pads", c.pads},
                                         {"output_padding", c.extra},
                                         {"group", c.group}},
                                        c.epilogue);
  what.operands.push_back({test::random_halves({c.batch, c.in, c.h, c.w}, c.seed)});
  what.operands.push_back(test::constant(
      test::random_halves({c.in, c.out / c.group, c.kernel[0], c.kernel[1]}, c.seed + 1)));
  what.operands.push_back(test::constant(test::random_halves({c.out}, c.seed + 2)));
  test::expect_lanes(device, what, reference(c, what), test::alternate(c.seed));
}

TEST(GpuConvTranspose, RandomWindowsAndGroupsMatchTheReference) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 0; seed < 200; ++seed) {
    test::Dice dice(seed);
    Case c{.seed = seed};
    c.batch = dice.of(1, 2);
    c.group = dice.among({1, 1, 1, 2, 3, 5});
    c.in = c.group * dice.of(1, 11);
    c.out = c.group * dice.of(1, 11);
    c.h = dice.of(1, 9);
    c.w = dice.of(1, 13);
    for (size_t axis : {size_t{0}, size_t{1}}) {
      c.kernel[axis] = dice.of(1, 5);
      c.stride[axis] = dice.of(1, 3);
      c.dilation[axis] = dice.of(1, 3);
      c.extra[axis] = dice.of(0, std::max(c.stride[axis], c.dilation[axis]) - 1);
      const int64_t most = c.out_size(axis) - 1;
      c.pads[axis] = std::min(dice.of(0, 2), most);
      c.pads[axis + 2] = std::min(dice.of(0, 2), c.out_size(axis) - 1);
    }
    c.epilogue.kind = dice.of(0, 1) ? Activation::relu : Activation::none;
    expect_transposed(device, c);
  }
}

TEST(GpuConvTranspose, UpsamplesByTwoLikeADecoder) {
  VULTUS_NEED_GPU(device);
  expect_transposed(device, {.in = 33,
                             .out = 17,
                             .h = 16,
                             .w = 16,
                             .kernel = {4, 4},
                             .stride = {2, 2},
                             .pads = {1, 1, 1, 1}});
  expect_transposed(device, {.in = 16,
                             .out = 16,
                             .group = 16,
                             .h = 8,
                             .w = 8,
                             .kernel = {2, 2},
                             .stride = {2, 2},
                             .seed = 2});
}

}  // namespace
}  // namespace vultus
