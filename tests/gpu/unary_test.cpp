#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "tests/gpu/lanes.hpp"

namespace vultus {
namespace {

struct Function {
  const char* op;
  std::function<double(double)> reference;
  test::Attributes attributes = {};
  float low = -4, high = 4;
};

std::ostream& operator<<(std::ostream& out, const Function& function) {
  return out << function.op;
}

double sigmoid(double x) {
  return 1 / (1 + std::exp(-x));
}

const std::vector<Function> kFunctions{
    {"Relu", [](double x) { return std::max(x, 0.0); }},
    {"LeakyRelu", [](double x) { return x < 0 ? 0.125 * x : x; }, {{"alpha", 0.125f}}},
    {"Sigmoid", sigmoid, {}, -12, 12},
    {"Tanh", [](double x) { return std::tanh(x); }, {}, -12, 12},
    {"HardSigmoid",
     [](double x) { return std::clamp(0.25 * x + 0.5, 0.0, 1.0); },
     {{"alpha", 0.25f}, {"beta", 0.5f}}},
    {"HardSwish", [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); }},
    {"Elu", [](double x) { return x < 0 ? 0.5 * std::expm1(x) : x; }, {{"alpha", 0.5f}}},
    {"Exp", [](double x) { return std::exp(x); }},
    {"Log", [](double x) { return std::log(x); }, {}, 0.125f, 8},
    {"Sqrt", [](double x) { return std::sqrt(x); }, {}, 0, 8},
    {"Abs", [](double x) { return std::abs(x); }},
    {"Neg", [](double x) { return -x; }},
    {"Reciprocal", [](double x) { return 1 / x; }, {}, 0.25f, 8},
    {"Floor", [](double x) { return std::floor(x); }},
    {"Ceil", [](double x) { return std::ceil(x); }},
    {"Erf", [](double x) { return std::erf(x); }},
    {"Sign", [](double x) { return x > 0   ? 1.0
                                   : x < 0 ? -1.0
                                           : 0.0; }},
    {"Round", [](double x) { return std::nearbyint(x); }},
    {"Sin", [](double x) { return std::sin(x); }, {}, -50, 50},
    {"Cos", [](double x) { return std::cos(x); }, {}, -50, 50},
    {"Selu",
     [](double x) { return 0.5 * (x < 0 ? 2 * std::expm1(x) : x); },
     {{"alpha", 2.0f}, {"gamma", 0.5f}}},
    {"Mish", [](double x) { return x * std::tanh(std::log1p(std::exp(x))); }, {}, -8, 8},
    {"Gelu", [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }},
    {"Gelu",
     [](double x) {
       return 0.5 * x *
              (1 + std::tanh(std::sqrt(2 / 3.14159265358979) * (x + 0.044715 * x * x * x)));
     },
     {{"approximate", std::string("tanh")}}},
    {"Softplus", [](double x) { return std::log1p(std::exp(x)); }, {}, -12, 12},
};

class GpuUnary : public testing::TestWithParam<Function> {};

TEST_P(GpuUnary, MatchesTheReferenceInEitherLayout) {
  VULTUS_NEED_GPU(device);
  const Function& f = GetParam();
  for (const Shape& shape :
       {Shape{1, 3, 5, 7}, Shape{2, 16, 3, 3}, Shape{3, 11}, Shape{13}, Shape{}}) {
    Tensor x = test::random_halves(shape, 3, f.low, f.high);
    test::OpCase what{.op = f.op, .attributes = f.attributes};
    what.operands.push_back({x.clone()});
    test::expect_op(device, what,
                    [&](size_t, const test::Index& i) { return f.reference(test::element(x, i)); });
  }
}

// Functions with f(0) != 0 would fill the padding lanes, which the next convolution reads.
TEST_P(GpuUnary, KeepsPaddingLanesZero) {
  VULTUS_NEED_GPU(device);
  const Function& f = GetParam();
  const Shape shape{2, 11, 3, 1};
  Tensor x = test::random_halves(shape, 4, f.low, f.high);
  test::OpCase what{.op = f.op, .attributes = f.attributes};
  what.operands.push_back({x.clone()});
  std::vector<double> expected;
  for (float v : x.as<float>())
    expected.push_back(f.reference(static_cast<double>(v)));
  test::expect_lanes(device, what, expected);
}

INSTANTIATE_TEST_SUITE_P(Functions, GpuUnary, testing::ValuesIn(kFunctions), [](const auto& info) {
  return info.param.op + std::string(info.param.attributes.count("approximate") ? "Tanh" : "");
});

TEST(GpuClip, TakesBoundsFromInputsOrAttributes) {
  VULTUS_NEED_GPU(device);
  Tensor x = test::random_halves({1, 5, 3, 3}, 1, -4, 4);
  test::OpCase now{.op = "Clip"};
  now.operands.push_back({x.clone()});
  now.operands.push_back(test::constant(Tensor::of<float>({}, {-0.5f})));
  now.operands.push_back(test::constant(Tensor::of<float>({}, {1.5f})));
  auto clipped = [&](size_t, const test::Index& i) {
    return std::clamp(test::element(x, i), -0.5, 1.5);
  };
  test::expect_op(device, now, clipped);
  test::OpCase old{.op = "Clip", .attributes = {{"min", -0.5f}, {"max", 1.5f}}, .opset = 6};
  old.operands.push_back({x.clone()});
  test::expect_op(device, old, clipped);
}

TEST(GpuClip, ABoundThatFp16CannotHoldIsNoObstacle) {
  VULTUS_NEED_GPU(device);
  Tensor x = test::random_halves({1, 5, 3, 3}, 1, -4, 4);
  test::OpCase what{.op = "Clip"};
  what.operands.push_back({x.clone()});
  what.operands.push_back(test::constant(Tensor::of<float>({}, {0.0f})));
  what.operands.push_back(test::constant(Tensor::of<float>({}, {3.4028235e38f})));
  test::expect_op(device, what,
                  [&](size_t, const test::Index& i) { return std::max(test::element(x, i), 0.0); });
}

TEST(GpuClip, BoundsComputedAtRunTimeStayOnTheCpu) {
  VULTUS_NEED_GPU(device);
  std::vector<test::Operand> operands;
  operands.push_back({Tensor(DType::f32, {4})});
  operands.push_back({Tensor(DType::f32, {})});
  auto graph = test::single_node("Clip", {}, operands);
  ASSERT_TRUE(graph) << graph.error().what;
  Support support = device.supports(*graph, graph->nodes[0], Precision::fp16);
  EXPECT_FALSE(support.ok);
  EXPECT_TRUE(test::contains(support.reason, "computed at run time"));
}

TEST(GpuRound, HalvesGoToTheEvenNeighbour) {
  VULTUS_NEED_GPU(device);
  Tensor x = Tensor::of<float>({6}, {-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f});
  test::OpCase what{.op = "Round"};
  what.operands.push_back({x.clone()});
  test::expect_op(device, what, [&](size_t, const test::Index& i) {
    return std::nearbyint(test::element(x, i));
  });
}

TEST(GpuNot, InvertsBooleans) {
  VULTUS_NEED_GPU(device);
  Tensor x = test::random_booleans({2, 3, 5, 7}, 1);
  test::OpCase what{.op = "Not"};
  what.operands.push_back({x.clone()});
  test::expect_op(device, what,
                  [&](size_t, const test::Index& i) { return 1 - test::element(x, i); });
}

TEST(GpuIdentity, CostsNoDispatch) {
  VULTUS_NEED_GPU(device);
  std::vector<test::Operand> operands;
  operands.push_back({test::random_tensor({2, 3, 4}, 1)});
  auto graph = test::single_node("Identity", {}, operands);
  ASSERT_TRUE(graph) << graph.error().what;
  PartitionSpec spec{.nodes = {0}, .inputs = graph->inputs, .outputs = graph->outputs};
  auto partition = device.compile(*graph, spec);
  ASSERT_TRUE(partition) << partition.error().what;
  EXPECT_EQ((*partition)->stats().dispatches, 0);
  const Tensor& x = operands[0].tensor;
  auto results = test::run_on(device, *graph, {&x});
  ASSERT_TRUE(results) << results.error().what;
  EXPECT_TRUE(
      std::equal(x.as<float>().begin(), x.as<float>().end(), (*results)[0].as<float>().begin()));
}

}  // namespace
}  // namespace vultus
