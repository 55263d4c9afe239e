#include "host/ops/squeeze_excite.hpp"

#include <fmt/format.h>

#include "tests/gpu/dice.hpp"
#include "tests/gpu/lanes.hpp"

namespace vultus {
namespace {

using test::activated;
using test::Dice;
using test::OpCase;
using test::random_halves;

double at(const Tensor& t, int64_t i) {
  return static_cast<double>(t.as<float>()[static_cast<size_t>(i)]);
}

struct GateCase {
  int64_t batch = 1, channels = 8, h = 4, w = 4, hidden = 2;
  bool biases = true;
  Epilogue squeeze{Activation::silu}, gate{Activation::sigmoid};
  uint32_t seed = 1;
};

std::vector<double> reference(const GateCase& c, const OpCase& what) {
  auto tensor = [&](size_t i) -> const Tensor& { return what.operands[i].tensor; };
  std::vector<double> result;
  for (int64_t n = 0; n < c.batch; ++n) {
    std::vector<double> means, hidden;
    for (int64_t i = 0; i < c.channels; ++i) {
      double sum = 0;
      for (int64_t p = 0; p < c.h * c.w; ++p)
        sum += at(tensor(0), (n * c.channels + i) * c.h * c.w + p);
      means.push_back(sum / static_cast<double>(c.h * c.w));
    }
    for (int64_t s = 0; s < c.hidden; ++s) {
      double sum = c.biases ? at(tensor(2), s) : 0;
      for (int64_t i = 0; i < c.channels; ++i)
        sum += at(tensor(1), s * c.channels + i) * means[static_cast<size_t>(i)];
      hidden.push_back(activated(sum, c.squeeze));
    }
    for (int64_t i = 0; i < c.channels; ++i) {
      double sum = c.biases ? at(tensor(4), i) : 0;
      for (int64_t s = 0; s < c.hidden; ++s)
        sum += at(tensor(3), i * c.hidden + s) * hidden[static_cast<size_t>(s)];
      result.push_back(activated(sum, c.gate));
    }
  }
  return result;
}

void expect_gate(Device& device, const GateCase& c,
                 const std::vector<Precision>& precisions = {Precision::fp32, Precision::fp16}) {
  SCOPED_TRACE(fmt::format("seed {}: {}x{}x{}x{}, {} hidden", c.seed, c.batch, c.channels, c.h, c.w,
                           c.hidden));
  OpCase what{.op = "SqueezeExcite"};
  Node node;
  set_squeeze_epilogue(node, c.squeeze);
  set_epilogue(node, c.gate);
  what.attributes = std::move(node.attributes);
  auto fixed = [&](const Shape& shape, uint32_t offset) {
    return test::constant(random_halves(shape, c.seed + offset));
  };
  what.operands.push_back({random_halves({c.batch, c.channels, c.h, c.w}, c.seed)});
  what.operands.push_back(fixed({c.hidden, c.channels, 1, 1}, 1));
  what.operands.push_back(c.biases ? fixed({c.hidden}, 2) : test::Operand{});
  what.operands.push_back(fixed({c.channels, c.hidden, 1, 1}, 3));
  what.operands.push_back(c.biases ? fixed({c.channels}, 4) : test::Operand{});
  test::expect_lanes(device, what, reference(c, what), precisions);
}

TEST(GpuSqueezeExcite, RandomSizesMatchTheReference) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 0; seed < 200; ++seed) {
    Dice dice(seed);
    GateCase c{.batch = dice.of(1, 3),
               .channels = dice.among({1, 3, 7, 8, 9, 17, 31, 40, 96, 144, 261}),
               .h = dice.of(1, 17),
               .w = dice.of(1, 17),
               .hidden = dice.among({1, 2, 4, 7, 10, 33}),
               .biases = dice.of(0, 3) != 0,
               .seed = seed};
    expect_gate(device, c, test::alternate(seed));
  }
}

TEST(GpuSqueezeExcite, SizesOfTheNetworksAndTheLargest) {
  VULTUS_NEED_GPU(device);
  expect_gate(device, {.channels = 32, .h = 112, .w = 112, .hidden = 8});
  expect_gate(device, {.batch = 2, .channels = 1152, .h = 7, .w = 7, .hidden = 48});
  expect_gate(device, {.channels = 2048, .h = 2, .w = 2, .hidden = 256});
}

TEST(GpuSqueezeExcite, ActivationsAreThoseOfTheLayers) {
  VULTUS_NEED_GPU(device);
  expect_gate(device, {.channels = 20,
                       .squeeze = {Activation::relu},
                       .gate = {Activation::hard_sigmoid, 0.2f, 0.5f}});
  expect_gate(device, {.channels = 20,
                       .squeeze = {Activation::leaky_relu, 0.25f},
                       .gate = {Activation::clip, -0.5f, 1.5f}});
}

TEST(GpuSqueezeExcite, MoreChannelsThanAWorkgroupTakesAreRefused) {
  VULTUS_NEED_GPU(device);
  std::vector<test::Operand> operands;
  operands.push_back({Tensor(DType::f32, {1, 2056, 1, 1})});
  operands.push_back(test::constant(Tensor(DType::f32, {1, 2056, 1, 1})));
  operands.push_back({});
  operands.push_back(test::constant(Tensor(DType::f32, {2056, 1, 1, 1})));
  auto graph = test::single_node("SqueezeExcite", {}, operands);
  ASSERT_TRUE(graph);
  EXPECT_FALSE(device.supports(*graph, graph->nodes[0], Precision::fp16).ok);
}

struct ScaleCase {
  int64_t batch = 1, in = 8, out = 8, h = 4, w = 4;
  bool residual = false;
  uint32_t seed = 1;
};

void expect_scaled(Device& device, const ScaleCase& c, const std::vector<Precision>& precisions) {
  SCOPED_TRACE(fmt::format("seed {}: {}x{}x{}x{} -> {} channels, residual {}", c.seed, c.batch,
                           c.in, c.h, c.w, c.out, c.residual));
  OpCase what{.op = "Conv"};
  what.operands.push_back({random_halves({c.batch, c.in, c.h, c.w}, c.seed)});
  what.operands.push_back(test::constant(random_halves({c.out, c.in, 1, 1}, c.seed + 1)));
  what.operands.push_back(test::constant(random_halves({c.out}, c.seed + 2)));
  what.operands.push_back(c.residual
                              ? test::Operand{random_halves({c.batch, c.out, c.h, c.w}, c.seed + 3)}
                              : test::Operand{});
  what.operands.push_back({});
  what.operands.push_back({random_halves({c.batch, c.in, 1, 1}, c.seed + 4)});
  auto tensor = [&](size_t i) -> const Tensor& { return what.operands[i].tensor; };
  std::vector<double> expected;
  for (int64_t n = 0; n < c.batch; ++n)
    for (int64_t o = 0; o < c.out; ++o)
      for (int64_t p = 0; p < c.h * c.w; ++p) {
        double sum = at(tensor(2), o);
        for (int64_t i = 0; i < c.in; ++i)
          sum += at(tensor(0), (n * c.in + i) * c.h * c.w + p) * at(tensor(5), n * c.in + i) *
                 at(tensor(1), o * c.in + i);
        if (c.residual) sum += at(tensor(3), static_cast<int64_t>(expected.size()));
        expected.push_back(sum);
      }
  test::expect_lanes(device, what, expected, precisions);
}

TEST(GpuConv, ScalesOfTheInputMatchTheReference) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 0; seed < 100; ++seed) {
    Dice dice(seed);
    ScaleCase c{.batch = dice.of(1, 3),
                .in = dice.among({1, 3, 7, 8, 9, 17, 98, 261}),
                .out = dice.among({1, 3, 8, 17, 98}),
                .h = dice.of(1, 12),
                .w = dice.of(1, 12),
                .residual = dice.of(0, 1) == 1,
                .seed = seed};
    expect_scaled(device, c, test::alternate(seed));
  }
}

}  // namespace
}  // namespace vultus
