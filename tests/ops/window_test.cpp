#include "host/ops/window.hpp"

#include <cmath>
#include <random>

#include "host/graph/activation.hpp"
#include "tests/ops/run_op.hpp"

namespace vultus::test {
namespace {

using I = std::vector<int64_t>;
using F = std::vector<float>;

// A random window, small enough to have every border case often.
struct Setting {
  int64_t batch, channels, outputs, group, height, width;
  I kernel, strides, dilations, pads;

  explicit Setting(uint32_t seed) {
    std::mt19937 engine(seed);
    auto pick = [&](int64_t low, int64_t high) {
      return std::uniform_int_distribution<int64_t>(low, high)(engine);
    };
    group = pick(1, 3);
    batch = pick(1, 2);
    channels = group * pick(1, 3);
    outputs = group * pick(1, 3);
    kernel = {pick(1, 4), pick(1, 4)};
    strides = {pick(1, 3), pick(1, 3)};
    dilations = {pick(1, 2), pick(1, 2)};
    for (int i = 0; i < 4; ++i)
      pads.push_back(pick(0, std::min<int64_t>(2, kernel[static_cast<size_t>(i % 2)] - 1)));
    height = pick(8, 12);
    width = pick(8, 12);
  }
  Attributes attributes() const {
    return {{"strides", strides}, {"dilations", dilations}, {"pads", pads}};
  }
  int64_t size(size_t axis, int64_t in) const {
    return (in + pads[axis] + pads[axis + 2] - (kernel[axis] - 1) * dilations[axis] - 1) /
               strides[axis] +
           1;
  }
};

// Naive references index through this: zero (or nothing) outside of the map.
double at(const Tensor& t, int64_t n, int64_t c, int64_t y, int64_t x) {
  const Shape& s = t.shape();
  if (y < 0 || x < 0 || y >= s[2] || x >= s[3]) return 0;
  return static_cast<double>(
      t.as<float>()[static_cast<size_t>(((n * s[1] + c) * s[2] + y) * s[3] + x)]);
}

template <class Visit>
void for_each_element(const Shape& s, const Visit& visit) {
  size_t i = 0;
  for (int64_t n = 0; n < s[0]; ++n)
    for (int64_t c = 0; c < s[1]; ++c)
      for (int64_t y = 0; y < s[2]; ++y)
        for (int64_t x = 0; x < s[3]; ++x)
          visit(i++, n, c, y, x);
}

// One float rounding of a double sum, so the tolerance is that of the final rounding.
void expect_close(float actual, double expected) {
  EXPECT_NEAR(static_cast<double>(actual), expected, 1e-6 * (1 + std::abs(expected)));
}

TEST(Conv, RandomAttributesMatchTheReference) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Setting s(seed);
    Tensor x = random_tensor({s.batch, s.channels, s.height, s.width}, seed);
    Tensor w = random_tensor({s.outputs, s.channels / s.group, s.kernel[0], s.kernel[1]}, seed + 1);
    Tensor b = random_tensor({s.outputs}, seed + 2);
    Attributes attributes = s.attributes();
    attributes["group"] = s.group;
    Tensor y = run("Conv", attributes, operands(x.clone(), w.clone(), b.clone()));
    ASSERT_EQ(y.shape(), (Shape{s.batch, s.outputs, s.size(0, s.height), s.size(1, s.width)}));
    for_each_element(y.shape(), [&](size_t i, int64_t n, int64_t m, int64_t oy, int64_t ox) {
      double sum = static_cast<double>(b.as<float>()[static_cast<size_t>(m)]);
      const int64_t first = m / (s.outputs / s.group) * (s.channels / s.group);
      for (int64_t c = 0; c < s.channels / s.group; ++c)
        for (int64_t ky = 0; ky < s.kernel[0]; ++ky)
          for (int64_t kx = 0; kx < s.kernel[1]; ++kx)
            sum += at(w, m, c, ky, kx) * at(x, n, first + c,
                                            oy * s.strides[0] + ky * s.dilations[0] - s.pads[0],
                                            ox * s.strides[1] + kx * s.dilations[1] - s.pads[1]);
      expect_close(y.as<float>()[i], sum);
    });
  }
}

TEST(Conv, ResidualIsAddedBeforeTheFusedActivation) {
  Attributes attributes = {{"activation", static_cast<int64_t>(Activation::relu)}};
  Tensor y = run("Conv", attributes,
                 operands(floats({1, 1, 1, 3}, {1, 2, 3}), floats({1, 1, 1, 1}, {2}), Tensor{},
                          floats({1, 1, 1, 3}, {-3, -3, -3})));
  EXPECT_EQ(values<float>(y), (F{0, 1, 3}));
}

// Sums are kept for a piece of a row at a time.
TEST(Conv, LongRowsMatchTheReference) {
  constexpr int64_t kWidth = 1200;
  Tensor x = random_tensor({1, 2, 2, kWidth}, 1), w = random_tensor({2, 1, 2, 5}, 2);
  Tensor y = run("Conv",
                 {{"group", int64_t{2}},
                  {"pads", I{0, 4, 0, 3}},
                  {"strides", I{1, 2}},
                  {"dilations", I{1, 2}}},
                 operands(x.clone(), w.clone()));
  ASSERT_EQ(y.shape(), (Shape{1, 2, 1, kWidth / 2}));
  for_each_element(y.shape(), [&](size_t i, int64_t n, int64_t m, int64_t oy, int64_t ox) {
    double sum = 0;
    for (int64_t ky = 0; ky < 2; ++ky)
      for (int64_t kx = 0; kx < 5; ++kx)
        sum += at(w, m, 0, ky, kx) * at(x, n, m, oy + ky, 2 * ox + 2 * kx - 4);
    expect_close(y.as<float>()[i], sum);
  });
  // A transposed convolution is the sum of its input's taps.
  Tensor back = run("ConvTranspose", {{"strides", I{1, 3}}, {"pads", I{0, 1, 0, 2}}},
                    operands(x.clone(), w.clone()));
  ASSERT_EQ(back.shape(), (Shape{1, 1, 3, 3 * (kWidth - 1) + 5 - 3}));
  for_each_element(back.shape(), [&](size_t i, int64_t, int64_t, int64_t oy, int64_t ox) {
    double sum = 0;
    for (int64_t c = 0; c < 2; ++c)
      for (int64_t ky = 0; ky < 2; ++ky)
        for (int64_t kx = 0; kx < 5; ++kx)
          if ((ox + 1 - kx) % 3 == 0)
            sum += at(w, c, 0, ky, kx) * at(x, 0, c, oy - ky, (ox + 1 - kx) / 3);
    expect_close(back.as<float>()[i], sum);
  });
}

TEST(Conv, SamePaddingPutsTheOddRowAtTheNamedEnd) {
  Tensor x = floats({1, 1, 1, 4}, {1, 2, 3, 4}), w = floats({1, 1, 1, 2}, {1, 10});
  EXPECT_EQ(values<float>(run("Conv", {{"auto_pad", std::string("SAME_UPPER")}},
                              operands(x.clone(), w.clone()))),
            (F{21, 32, 43, 4}));
  EXPECT_EQ(values<float>(run("Conv", {{"auto_pad", std::string("SAME_LOWER")}},
                              operands(x.clone(), w.clone()))),
            (F{10, 21, 32, 43}));
  EXPECT_EQ(values<float>(run("Conv", {{"auto_pad", std::string("VALID")}, {"pads", I{1, 1, 1, 1}}},
                              operands(x.clone(), w.clone()))),
            (F{21, 32, 43}));
}

TEST(Conv, BadAttributesAreRefused) {
  auto with = [](Attributes attributes) {
    return refusal("Conv", std::move(attributes),
                   operands(iota({1, 64, 8, 8}), iota({4, 64, 3, 3})));
  };
  expect_in("Conv 'node': group 3 does not divide 64 input channels",
            with({{"group", int64_t{3}}}));
  expect_in("want 64 input channels per group", with({{"group", int64_t{2}}}));
  expect_in("group 0", with({{"group", int64_t{0}}}));
  expect_in("strides of 0", with({{"strides", I{1, 0}}}));
  expect_in("dilations of 0", with({{"dilations", I{0, 1}}}));
  expect_in("strides has 1 entries", with({{"strides", I{1}}}));
  expect_in("pad of -1", with({{"pads", I{0, 0, -1, 0}}}));
  expect_in("2 pads", with({{"pads", I{0, 0}}}));
  expect_in("spans 9 does not fit axis 2 of size 8", with({{"dilations", I{4, 1}}}));
  expect_in("kernel_shape differs", with({{"kernel_shape", I{5, 5}}}));
  expect_in("auto_pad 'SAME'", with({{"auto_pad", std::string("SAME")}}));
  expect_in("rank 3", refusal("Conv", {}, operands(iota({1, 2, 8}), iota({2, 2, 3, 3}))));
  expect_in("bias has shape 5",
            refusal("Conv", {}, operands(iota({1, 2, 8, 8}), iota({4, 2, 3, 3}), iota({5}))));
  expect_in(
      "residual has shape 1",
      refusal("Conv", {}, operands(iota({1, 2, 8, 8}), iota({4, 2, 3, 3}), Tensor{}, iota({1}))));
  expect_in("type int64", refusal("Conv", {}, operands(ints({1}), iota({4, 2, 3, 3}))));
}

TEST(Conv, CountsMultiplyAccumulates) {
  auto graph = single_node("Conv", {{"group", int64_t{2}}},
                           operands(iota({1, 4, 5, 5}), iota({6, 2, 3, 3})));
  ASSERT_TRUE(graph);
  EXPECT_EQ(macs(*graph, graph->node(0)), 6 * 3 * 3 * 2 * 9);
}

TEST(ConvTranspose, RandomAttributesMatchTheReference) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Setting s(seed);
    const int64_t per_group = s.outputs / s.group;
    Tensor x = random_tensor({s.batch, s.channels, s.height, s.width}, seed);
    Tensor w = random_tensor({s.channels, per_group, s.kernel[0], s.kernel[1]}, seed + 1);
    Attributes attributes = s.attributes();
    attributes["group"] = s.group;
    attributes["output_padding"] = I{s.strides[0] - 1, 0};
    Tensor y = run("ConvTranspose", attributes, operands(x.clone(), w.clone()));
    auto size = [&](size_t i, int64_t in) {
      return s.strides[i] * (in - 1) + (s.kernel[i] - 1) * s.dilations[i] + 1 - s.pads[i] -
             s.pads[i + 2];
    };
    ASSERT_EQ(y.shape(),
              (Shape{s.batch, s.outputs, size(0, s.height) + s.strides[0] - 1, size(1, s.width)}));
    std::vector<double> expected(static_cast<size_t>(y.shape().elements()), 0);
    for_each_element(x.shape(), [&](size_t, int64_t n, int64_t c, int64_t iy, int64_t ix) {
      for (int64_t m = 0; m < per_group; ++m)
        for (int64_t ky = 0; ky < s.kernel[0]; ++ky)
          for (int64_t kx = 0; kx < s.kernel[1]; ++kx) {
            const int64_t oy = iy * s.strides[0] + ky * s.dilations[0] - s.pads[0];
            const int64_t ox = ix * s.strides[1] + kx * s.dilations[1] - s.pads[1];
            if (oy < 0 || ox < 0 || oy >= y.shape()[2] || ox >= y.shape()[3]) continue;
            const int64_t channel = c / (s.channels / s.group) * per_group + m;
            expected[static_cast<size_t>(
                ((n * s.outputs + channel) * y.shape()[2] + oy) * y.shape()[3] + ox)] +=
                at(x, n, c, iy, ix) * at(w, c, m, ky, kx);
          }
    });
    for (size_t i = 0; i < expected.size(); ++i)
      expect_close(y.as<float>()[i], expected[i]);
  }
}

TEST(ConvTranspose, OutputShapeAndSamePaddingDecideTheSize) {
  Tensor x = iota({1, 1, 3, 3}), w = iota({1, 1, 3, 3});
  EXPECT_EQ(run("ConvTranspose", {{"strides", I{2, 2}}, {"output_shape", I{6, 5}}},
                operands(x.clone(), w.clone()))
                .shape(),
            (Shape{1, 1, 6, 5}));
  EXPECT_EQ(run("ConvTranspose", {{"strides", I{2, 2}}, {"auto_pad", std::string("SAME_UPPER")}},
                operands(x.clone(), w.clone()))
                .shape(),
            (Shape{1, 1, 6, 6}));
  // The last row is one of an output padding that the size implies.
  Tensor larger = run("ConvTranspose", {{"strides", I{2, 2}}, {"output_shape", I{8, 7}}},
                      operands(x.clone(), w.clone()));
  Tensor exact = run("ConvTranspose", {{"strides", I{2, 2}}}, operands(x.clone(), w.clone()));
  for (int64_t column = 0; column < 7; ++column) {
    EXPECT_EQ(at(larger, 0, 0, 7, column), 0);
    EXPECT_EQ(at(larger, 0, 0, 6, column), at(exact, 0, 0, 6, column));
  }
  expect_in("beyond the 7",
            refusal("ConvTranspose", {{"strides", I{2, 2}}, {"output_shape", I{9, 5}}},
                    operands(x.clone(), w.clone())));
  expect_in("output_padding 2 is not smaller",
            refusal("ConvTranspose", {{"strides", I{2, 2}}, {"output_padding", I{2, 0}}},
                    operands(x.clone(), w.clone())));
  expect_in("would have size",
            refusal("ConvTranspose", {{"pads", I{5, 0, 5, 0}}}, operands(x.clone(), w.clone())));
}

TEST(Pools, RandomAttributesMatchTheReference) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    Setting s(seed);
    Tensor x = random_tensor({s.batch, s.channels, s.height, s.width}, seed);
    Attributes attributes = s.attributes();
    attributes["kernel_shape"] = s.kernel;
    Tensor most = run("MaxPool", attributes, operands(x.clone()));
    Tensor mean = run("AveragePool", attributes, operands(x.clone()));
    attributes["count_include_pad"] = int64_t{1};
    Tensor padded = run("AveragePool", attributes, operands(x.clone()));
    ASSERT_EQ(most.shape(), (Shape{s.batch, s.channels, s.size(0, s.height), s.size(1, s.width)}));
    for_each_element(most.shape(), [&](size_t i, int64_t n, int64_t c, int64_t oy, int64_t ox) {
      double best = -INFINITY, sum = 0, count = 0;
      for (int64_t ky = 0; ky < s.kernel[0]; ++ky)
        for (int64_t kx = 0; kx < s.kernel[1]; ++kx) {
          const int64_t iy = oy * s.strides[0] + ky * s.dilations[0] - s.pads[0];
          const int64_t ix = ox * s.strides[1] + kx * s.dilations[1] - s.pads[1];
          if (iy < 0 || ix < 0 || iy >= s.height || ix >= s.width) continue;
          best = std::max(best, at(x, n, c, iy, ix));
          sum += at(x, n, c, iy, ix);
          ++count;
        }
      expect_close(most.as<float>()[i], best);
      expect_close(mean.as<float>()[i], sum / count);
      expect_close(padded.as<float>()[i], sum / static_cast<double>(s.kernel[0] * s.kernel[1]));
    });
  }
}

TEST(Pools, CeilModeAddsAWindowOnlyWhereItSeesInput) {
  Attributes attributes = {
      {"kernel_shape", I{1, 2}}, {"strides", I{1, 2}}, {"ceil_mode", int64_t{1}}};
  Tensor x = floats({1, 1, 1, 5}, {1, 2, 3, 4, 5});
  EXPECT_EQ(values<float>(run("MaxPool", attributes, operands(x.clone()))), (F{2, 4, 5}));
  attributes["count_include_pad"] = int64_t{1};
  // The part of the last window beyond the input never counts.
  EXPECT_EQ(values<float>(run("AveragePool", attributes, operands(x.clone()))), (F{1.5f, 3.5f, 5}));
  attributes["strides"] = I{1, 3};
  attributes["pads"] = I{0, 0, 0, 1};
  // Windows begin at 0 and 3; one at 6 would begin in the padding.
  EXPECT_EQ(values<float>(run("MaxPool", attributes, operands(x.clone()))), (F{2, 5}));
}

TEST(Pools, BadAttributesAreRefused) {
  expect_in("kernel_shape is missing", refusal("MaxPool", {}, operands(iota({1, 1, 4, 4}))));
  expect_in("not smaller than the kernel",
            refusal("MaxPool", {{"kernel_shape", I{2, 2}}, {"pads", I{2, 0, 0, 0}}},
                    operands(iota({1, 1, 4, 4}))));
  expect_in("has a second output", refusal("AveragePool", {{"kernel_shape", I{2, 2}}},
                                           operands(iota({1, 1, 4, 4})), 18, 2));
  expect_in("kernel_shape has 2 entries, expected 3",
            refusal("MaxPool", {{"kernel_shape", I{2, 2}}}, operands(iota({1, 1, 4, 4, 4}))));
  expect_in("rank 2", refusal("MaxPool", {{"kernel_shape", I{}}}, operands(iota({4, 4}))));
}

TEST(Pools, OfAnyRankMatchTheReference) {
  // Depth, height and width pooled one after the other is the maximum of all.
  Tensor x = random_tensor({2, 3, 5, 6, 7}, 1);
  Tensor y = run("MaxPool",
                 {{"kernel_shape", I{2, 3, 2}},
                  {"strides", I{1, 2, 3}},
                  {"dilations", I{2, 1, 1}},
                  {"pads", I{0, 1, 0, 0, 0, 1}}},
                 operands(x.clone()));
  Tensor mean = run("AveragePool", {{"kernel_shape", I{2, 3, 2}}, {"strides", I{1, 2, 3}}},
                    operands(x.clone()));
  ASSERT_EQ(y.shape(), (Shape{2, 3, 3, 3, 3}));
  ASSERT_EQ(mean.shape(), (Shape{2, 3, 4, 2, 2}));
  auto value = [&](int64_t plane, int64_t d, int64_t h, int64_t w) {
    if (h < 0 || w >= 7) return -INFINITY;
    return x.as<float>()[static_cast<size_t>(((plane * 5 + d) * 6 + h) * 7 + w)];
  };
  for (int64_t i = 0; i < y.shape().elements(); ++i) {
    const int64_t w = i % 3, h = i / 3 % 3, d = i / 9 % 3, plane = i / 27;
    float best = -INFINITY;
    for (int64_t tap = 0; tap < 12; ++tap)
      best =
          std::max(best, value(plane, d + tap / 6 * 2, h * 2 - 1 + tap / 2 % 3, w * 3 + tap % 2));
    EXPECT_EQ(y.as<float>()[static_cast<size_t>(i)], best) << i;
  }
  for (int64_t i = 0; i < mean.shape().elements(); ++i) {
    const int64_t w = i % 2, h = i / 2 % 2, d = i / 4 % 4, plane = i / 16;
    double sum = 0;
    for (int64_t tap = 0; tap < 12; ++tap)
      sum += static_cast<double>(value(plane, d + tap / 6, h * 2 + tap / 2 % 3, w * 3 + tap % 2));
    EXPECT_NEAR(static_cast<double>(mean.as<float>()[static_cast<size_t>(i)]), sum / 12, 1e-6);
  }
}

TEST(Pools, AWindowOfHugePaddingIsNoWork) {
  // 2^20 taps an axis, of which one lies in the input.
  const int64_t far = int64_t{1} << 20;
  Attributes attributes{{"kernel_shape", I{far, far, far, far}},
                        {"pads", I{far - 1, far - 1, far - 1, far - 1, 0, 0, 0, 0}}};
  Tensor x = floats({1, 1, 1, 1, 1, 1}, {3});
  EXPECT_EQ(values<float>(run("MaxPool", attributes, operands(x.clone()))), (F{3}));
  EXPECT_EQ(values<float>(run("AveragePool", attributes, operands(x.clone()))), (F{3}));
}

TEST(MaxPool, IndicesCountRowsOrColumns) {
  Tensor x = floats({2, 1, 2, 3}, {1, 2, 9, 4, 5, 6, 7, 8, 0, 1, 9, 2});
  auto indices = [&](int64_t storage_order) {
    auto results = run_op("MaxPool", {{"kernel_shape", I{2, 3}}, {"storage_order", storage_order}},
                          operands(x.clone()), 2);
    return results ? values<int64_t>((*results)[1]) : I{};
  };
  EXPECT_EQ(indices(0), (I{2, 10}));
  EXPECT_EQ(indices(1), (I{4, 9}));
}

TEST(GlobalPools, ReduceEveryPlane) {
  Tensor x = floats({1, 2, 1, 2}, {1, 3, -5, -7});
  EXPECT_EQ(values<float>(run("GlobalAveragePool", {}, operands(x.clone()))), (F{2, -6}));
  Tensor y = run("GlobalMaxPool", {}, operands(x.clone()));
  EXPECT_EQ(y.shape(), (Shape{1, 2, 1, 1}));
  EXPECT_EQ(values<float>(y), (F{3, -5}));
  expect_in("empty", refusal("GlobalMaxPool", {}, operands(iota({1, 2, 0, 2}))));
}

}  // namespace
}  // namespace vultus::test
