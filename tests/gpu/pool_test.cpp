#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>

#include "host/graph/fused.hpp"
#include "tests/gpu/dice.hpp"
#include "tests/gpu/lanes.hpp"

namespace vultus {
namespace {

using test::Integers;

struct Case {
  bool average = false, include_pad = false, ceil = false;
  Shape in{};
  Integers kernel{2, 2}, stride{1, 1}, dilation{1, 1}, pads{0, 0, 0, 0};
  uint32_t seed = 1;

  // ceil_mode drops a last window that would begin in the padding after the end.
  int64_t out(int axis) const {
    const auto a = static_cast<size_t>(axis - 2);
    const int64_t room = in[axis] + pads[a] + pads[a + 2] - (kernel[a] - 1) * dilation[a] - 1;
    int64_t size = (ceil ? (room + stride[a] - 1) / stride[a] : room / stride[a]) + 1;
    if (ceil && (size - 1) * stride[a] >= in[axis] + pads[a]) --size;
    return size;
  }
};

double pooled(const Case& c, const Tensor& x, int64_t n, int64_t channel, int64_t oy, int64_t ox) {
  double sum = 0, best = -std::numeric_limits<double>::infinity();
  int inside = 0, counted = 0;
  for (int64_t ky = 0; ky < c.kernel[0]; ++ky)
    for (int64_t kx = 0; kx < c.kernel[1]; ++kx) {
      const int64_t y = oy * c.stride[0] + ky * c.dilation[0] - c.pads[0];
      const int64_t column = ox * c.stride[1] + kx * c.dilation[1] - c.pads[1];
      counted += y < c.in[2] + c.pads[2] && column < c.in[3] + c.pads[3];
      if (y < 0 || column < 0 || y >= c.in[2] || column >= c.in[3]) continue;
      const double v = test::element(x, {n, channel, y, column});
      ++inside;
      sum += v;
      best = std::max(best, v);
    }
  return c.average ? sum / (c.include_pad ? counted : inside) : best;
}

void expect_pool(Device& device, const Case& c) {
  SCOPED_TRACE(
      fmt::format("seed {}: {}, average {}, ceil {}", c.seed, c.in.str(), c.average, c.ceil));
  test::OpCase what{.op = c.average ? "AveragePool" : "MaxPool"};
  what.attributes = {{"kernel_shape", c.kernel},
                     {"strides", c.stride},
                     {"pads", c.pads},
                     {"ceil_mode", int64_t{c.ceil}}};
  if (c.average)
    what.attributes["count_include_pad"] = int64_t{c.include_pad};
  else
    what.attributes["dilations"] = c.dilation;
  what.operands.push_back({test::random_halves(c.in, c.seed)});
  std::vector<double> expected;
  test::for_each({c.in[0], c.in[1], c.out(2), c.out(3)}, [&](const test::Index& i) {
    expected.push_back(pooled(c, what.operands[0].tensor, i[0], i[1], i[2], i[3]));
  });
  test::expect_lanes(device, what, expected, test::alternate(c.seed));
}

TEST(GpuPool, RandomWindowsMatchTheReference) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 0; seed < 200; ++seed) {
    test::Dice dice(seed / 2);
    Case c{.seed = seed};
    c.average = dice.of(0, 1);
    c.include_pad = dice.of(0, 1);
    c.ceil = dice.of(0, 1);
    c.in = {dice.of(1, 2), dice.among({1, 3, 7, 8, 9, 16, 17}), dice.of(1, 31), dice.of(1, 33)};
    for (size_t axis : {size_t{0}, size_t{1}}) {
      c.kernel[axis] = dice.of(1, 4);
      c.stride[axis] = dice.of(1, 3);
      if (!c.average) c.dilation[axis] = dice.of(1, 2);
      c.pads[axis] = dice.of(0, c.kernel[axis] - 1);
      c.pads[axis + 2] = dice.of(0, c.kernel[axis] - 1);
      const int size = static_cast<int>(axis) + 2;
      // Every window reads at least one point.
      c.in[size] = std::max(c.in[size], (c.kernel[axis] - 1) * c.dilation[axis] + 1);
    }
    expect_pool(device, c);
  }
}

TEST(GpuPool, TheSecondOutputIsTheNormalisedFirst) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 6000; seed < 6024; ++seed) {
    test::Dice dice(seed);
    Case c{.average = dice.of(0, 1) == 0,
           .in = {dice.of(1, 3), dice.among({1, 7, 8, 9, 17}), dice.of(2, 12), dice.of(2, 12)},
           .stride = {2, 2},
           .seed = seed};
    SCOPED_TRACE(fmt::format("seed {}: {}, average {}", seed, c.in.str(), c.average));
    Node node;
    node.attributes = {{"kernel_shape", c.kernel}, {"strides", c.stride}};
    SecondOutput second;
    second.epilogue.kind = dice.of(0, 1) ? Activation::relu : Activation::none;
    for (int64_t i = 0; i < c.in[1]; ++i) {
      second.scale.push_back(0.125f * static_cast<float>(dice.of(-12, 12)));
      second.shift.push_back(0.125f * static_cast<float>(dice.of(-12, 12)));
    }
    set_second_output(node, second);
    test::OpCase what{.op = c.average ? "AveragePool" : "MaxPool",
                      .attributes = node.attributes,
                      .outputs = 2,
                      .tolerance_fp16 = 4e-3};
    what.operands.push_back({test::random_halves(c.in, c.seed)});
    auto reference = [&](size_t output, const test::Index& i) {
      const double y = pooled(c, what.operands[0].tensor, i[0], i[1], i[2], i[3]);
      const auto channel = static_cast<size_t>(i[1]);
      return output == 0 ? y
                         : test::activated(static_cast<double>(second.scale[channel]) * y +
                                               static_cast<double>(second.shift[channel]),
                                           second.epilogue);
    };
    if (seed % 2 == 0) {
      test::expect_op(device, what, reference);
      continue;
    }
    std::vector<double> expected;
    test::for_each({c.in[0], c.in[1], c.out(2), c.out(3)},
                   [&](const test::Index& i) { expected.push_back(reference(1, i)); });
    test::expect_lanes(device, what, expected, test::alternate(seed / 2), test::kHalfBound, 1);
  }
}

TEST(GpuPool, GlobalPoolsOfSmallAndLargeMaps) {
  VULTUS_NEED_GPU(device);
  for (const Shape& shape : {Shape{1, 8, 1, 1}, Shape{2, 17, 7, 7}, Shape{3, 9, 8, 8},
                             Shape{1, 261, 4, 5}, Shape{1, 5, 61, 67}})
    for (const char* op : {"GlobalAveragePool", "GlobalMaxPool"}) {
      SCOPED_TRACE(shape.str());
      test::OpCase what{.op = op};
      what.operands.push_back({test::random_halves(shape, 7, -1, 2)});
      std::vector<double> expected;
      const Tensor& x = what.operands[0].tensor;
      test::for_each({shape[0], shape[1]}, [&](const test::Index& i) {
        double sum = 0, best = -2;
        test::for_each({shape[2], shape[3]}, [&](const test::Index& p) {
          const double v = test::element(x, {i[0], i[1], p[0], p[1]});
          sum += v;
          best = std::max(best, v);
        });
        const bool average = what.op == "GlobalAveragePool";
        expected.push_back(average ? sum / static_cast<double>(shape[2] * shape[3]) : best);
      });
      test::expect_lanes(device, what, expected);
    }
}

}  // namespace
}  // namespace vultus
