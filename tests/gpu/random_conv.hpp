#pragma once

#include <fmt/format.h>

#include <vector>

#include "host/graph/fused.hpp"
#include "tests/gpu/dice.hpp"
#include "tests/gpu/lanes.hpp"

namespace vultus::test {

/// What a convolution does beyond its window. The same for all cases of a batch, because each
/// combination is another specialisation to compile.
struct ConvExtras {
  bool residual = false;
  int addend = 0;  ///< 1: as the output lies; 2: half its height and width, repeated; 0: none
  bool addend_last = false;
  bool second = false;
  bool scaled = false;  ///< the input, per image and channel; 1x1 convolutions only
  Epilogue epilogue{}, second_epilogue{};
};
/// A few combinations that together hold every extra.
inline const std::vector<ConvExtras> kConvExtras{
    {},
    {.residual = true, .epilogue = {Activation::relu}},
    {.addend = 2, .epilogue = {Activation::leaky_relu, 0.25f}},
    {.residual = true, .addend = 1, .addend_last = true, .epilogue = {Activation::silu}},
    {.second = true, .second_epilogue = {Activation::relu}},
    {.scaled = true, .epilogue = {Activation::sigmoid}},
};

enum class ConvKind { window, pointwise, grouped, depthwise, stem };

/// A small random convolution.
struct RandomConv {
  uint32_t seed = 0;
  int64_t batch = 1, in = 8, out = 8, group = 1, h = 8, w = 8;
  int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  Integers pads{0, 0, 0, 0};
  ConvExtras extras{};

  int64_t reach_h() const { return (kernel_h - 1) * dilation_h + 1; }
  int64_t reach_w() const { return (kernel_w - 1) * dilation_w + 1; }
  int64_t out_h() const { return (h + pads[0] + pads[2] - reach_h()) / stride_h + 1; }
  int64_t out_w() const { return (w + pads[1] + pads[3] - reach_w()) / stride_w + 1; }
  Shape shape() const { return {batch, out, out_h(), out_w()}; }
  std::string str() const {
    return fmt::format(
        "seed {}: {}x{}x{}x{} -> {} channels, group {}, kernel {}x{}, stride {}x{}, dilation "
        "{}x{}, pads {} {} {} {}, residual {}, addend {} last {}, second {}, scaled {}",
        seed, batch, in, h, w, out, group, kernel_h, kernel_w, stride_h, stride_w, dilation_h,
        dilation_w, pads[0], pads[1], pads[2], pads[3], extras.residual, extras.addend,
        extras.addend_last, extras.second, extras.scaled);
  }
};

inline RandomConv random_conv(uint32_t seed, ConvKind kind, const ConvExtras& extras) {
  Dice dice(seed);
  RandomConv c{.seed = seed, .extras = extras};
  const Integers channels{1, 3, 7, 8, 9, 16, 17, 24, 33, 40, 72};
  c.batch = dice.among({1, 1, 2, 3});
  c.in = dice.among(channels);
  c.out = dice.among(channels);
  if (kind == ConvKind::stem) c.in = dice.of(3, 4);
  if (kind == ConvKind::depthwise) c.in = c.out = c.group = dice.among({2, 3, 8, 9, 17, 40, 72});
  if (kind == ConvKind::grouped) {
    c.group = dice.of(2, 6);
    c.in = c.group * dice.of(1, 9);
    c.out = c.group * dice.of(1, 9);
  }
  if (kind != ConvKind::pointwise && !extras.scaled) {
    c.kernel_h = dice.among({1, 2, 3, 3, 5});
    c.kernel_w = dice.among({2, 3, 3, 5, 7});
    c.dilation_h = dice.among({1, 1, 2});
    c.dilation_w = dice.among({1, 1, 2});
    for (int64_t& pad : c.pads)
      pad = dice.of(0, 3);
  }
  if (kind == ConvKind::stem) {  // each width and stride is compiled anew
    c.kernel_w = dice.among({3, 7});
    c.dilation_w = 1;
  }
  c.stride_h = dice.among({1, 1, 2, 3});
  c.stride_w = dice.among({1, 1, 2, 3});
  if (kind == ConvKind::stem) c.stride_w = dice.of(1, 2);
  c.h = std::max(dice.of(1, 9), c.reach_h() - c.pads[0] - c.pads[2]);
  c.w = std::max(dice.of(1, 11), c.reach_w() - c.pads[1] - c.pads[3]);
  if (extras.addend == 2) {  // an even output; the pads at the end make it so
    c.pads[2] += c.out_h() % 2 * c.stride_h;
    c.pads[3] += c.out_w() % 2 * c.stride_w;
  }
  return c;
}

/// The operands of a case, exact in fp16, and what it should compute.
struct ConvData {
  Tensor x, weights, bias, residual, addend, scale;
  SecondOutput second;
  std::vector<double> expected, expected_second;
};

inline double sum_at(const RandomConv& c, const ConvData& d, const Index& at) {
  const float* x = d.x.as<float>().data();
  const float* weights = d.weights.as<float>().data();
  const int64_t ins = c.in / c.group;
  double sum = element(d.bias, {at[1]});
  for (int64_t i = 0; i < ins; ++i) {
    const int64_t channel = at[0] * c.in + at[1] / (c.out / c.group) * ins + i;
    double part = 0;
    for (int64_t ky = 0; ky < c.kernel_h; ++ky)
      for (int64_t kx = 0; kx < c.kernel_w; ++kx) {
        const int64_t row = at[2] * c.stride_h + ky * c.dilation_h - c.pads[0];
        const int64_t column = at[3] * c.stride_w + kx * c.dilation_w - c.pads[1];
        if (row < 0 || column < 0 || row >= c.h || column >= c.w) continue;
        part +=
            static_cast<double>(x[(channel * c.h + row) * c.w + column]) *
            static_cast<double>(weights[((at[1] * ins + i) * c.kernel_h + ky) * c.kernel_w + kx]);
      }
    sum += c.extras.scaled
               ? part * static_cast<double>(d.scale.as<float>()[static_cast<size_t>(channel)])
               : part;
  }
  return sum;
}

inline ConvData make_data(const RandomConv& c) {
  const uint32_t s = c.seed * 8;
  const int64_t f = std::max(1, c.extras.addend);
  ConvData d{random_halves({c.batch, c.in, c.h, c.w}, s),
             random_halves({c.out, c.in / c.group, c.kernel_h, c.kernel_w}, s + 1),
             random_halves({c.out}, s + 2),
             random_halves(c.shape(), s + 3),
             random_halves({c.batch, c.out, c.out_h() / f, c.out_w() / f}, s + 4),
             random_halves({c.batch, c.in, 1, 1}, s + 5, 0, 1),
             {},
             {},
             {}};
  Tensor affine = random_halves({2, c.out}, s + 6);
  auto values = affine.as<float>();
  d.second.scale.assign(values.begin(), values.begin() + c.out);
  d.second.shift.assign(values.begin() + c.out, values.end());
  d.second.epilogue = c.extras.second_epilogue;
  for_each(c.shape(), [&](const Index& at) {
    double y = sum_at(c, d, at), add = 0;
    if (c.extras.residual) y += element(d.residual, at);
    if (c.extras.addend > 0) add = element(d.addend, {at[0], at[1], at[2] / f, at[3] / f});
    y = activated(c.extras.addend_last ? y : y + add, c.extras.epilogue);
    if (c.extras.addend_last) y += add;
    d.expected.push_back(y);
    const auto o = static_cast<size_t>(at[1]);
    const auto scale = static_cast<double>(d.second.scale[o]);
    const auto shift = static_cast<double>(d.second.shift[o]);
    d.expected_second.push_back(activated(scale * y + shift, d.second.epilogue));
  });
  return d;
}

/// One graph of many convolutions, each with inputs of its own, its padding lanes shown as
/// channels.
class ConvBatch {
 public:
  void add(const RandomConv& c, ConvData data) {
    Node node;
    node.name = fmt::format("conv{}", cases_.size());
    node.op = "Conv";
    node.attributes = with_epilogue({{"strides", Integers{c.stride_h, c.stride_w}},
                                     {"dilations", Integers{c.dilation_h, c.dilation_w}},
                                     {"pads", c.pads},
                                     {"group", c.group}},
                                    c.extras.epilogue);
    if (c.extras.addend_last) node.attributes["addend_last"] = int64_t{1};
    if (c.extras.second) set_second_output(node, data.second);
    node.inputs = {input(data.x),
                   graph_.add_constant(node.name + ".w", data.weights.clone()),
                   graph_.add_constant(node.name + ".b", data.bias.clone()),
                   c.extras.residual ? input(data.residual) : kNoValue,
                   c.extras.addend > 0 ? input(data.addend) : kNoValue,
                   c.extras.scaled ? input(data.scale) : kNoValue};
    for (int i = 0; i < (c.extras.second ? 2 : 1); ++i)
      node.outputs.push_back(graph_.add_value(fmt::format("{}.y{}", node.name, i), DType::f32, {}));
    std::vector<ValueId> outputs = node.outputs;
    graph_.nodes.push_back(std::move(node));
    for (ValueId y : outputs) {
      Node lanes;
      lanes.name = graph_.value(y).name + ".lanes";
      lanes.op = "TestLanes";
      lanes.inputs = {y};
      lanes.outputs = {graph_.add_value(lanes.name, DType::f32, {})};
      graph_.outputs.push_back(lanes.outputs[0]);
      graph_.nodes.push_back(std::move(lanes));
    }
    cases_.push_back(c);
    data_.push_back(std::move(data));
  }

  void expect(Device& device, Precision precision) {
    for (size_t n = 0; n < graph_.nodes.size(); ++n)
      for (ValueId v : graph_.nodes[n].outputs)
        graph_.value(v).producer = static_cast<NodeId>(n);
    auto shapes = infer_shapes(graph_);
    ASSERT_TRUE(shapes) << shapes.error().what;
    std::vector<const Tensor*> inputs;
    for (const Tensor& t : tensors_)
      inputs.push_back(&t);
    auto results = run_on(device, graph_, inputs, precision);
    ASSERT_TRUE(results) << results.error().what;
    size_t next = 0;
    for (size_t i = 0; i < cases_.size(); ++i) {
      SCOPED_TRACE(fmt::format("{} in {}", cases_[i].str(), name_of(precision)));
      // A scaled input may be rounded once more on its way.
      double bound = precision == Precision::fp32 ? kFloatBound
                                                  : kHalfBound * (cases_[i].extras.scaled ? 2 : 1);
      compare((*results)[next++], cases_[i], data_[i].expected, bound);
      if (cases_[i].extras.second)
        compare((*results)[next++], cases_[i], data_[i].expected_second, bound);
    }
  }

 private:
  ValueId input(const Tensor& t) {
    tensors_.push_back(t.clone());
    ValueId id = graph_.add_value(fmt::format("in{}", tensors_.size()), DType::f32, t.shape());
    graph_.inputs.push_back(id);
    return id;
  }

  static void compare(const Tensor& got, const RandomConv& c, const std::vector<double>& expected,
                      double bound) {
    double difference = 0, norm = 0;
    int64_t dirty = 0;
    size_t point = 0;
    for_each(got.shape(), [&](const Index& at) {
      const double v = element(got, at);
      if (at[1] >= c.out) {
        dirty += v == 0 ? 0 : 1;
        return;
      }
      const double e = expected[point++];
      difference += (v - e) * (v - e);
      norm += e * e;
    });
    EXPECT_EQ(dirty, 0) << "padding lanes";
    EXPECT_LE(std::sqrt(difference), bound * std::sqrt(norm) + 1e-7);
  }

  Graph graph_;
  std::vector<Tensor> tensors_;
  std::vector<RandomConv> cases_;
  std::vector<ConvData> data_;
};

/// Runs `count` random convolutions from `seed` on as one partition.
inline void expect_random_convs(Device& device, uint32_t seed, uint32_t count, ConvKind kind,
                                const ConvExtras& extras, Precision precision) {
  ConvBatch batch;
  for (uint32_t i = 0; i < count; ++i) {
    RandomConv c = random_conv(seed + i, kind, extras);
    batch.add(c, make_data(c));
  }
  batch.expect(device, precision);
}

}  // namespace vultus::test
