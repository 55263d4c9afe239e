#include <cmath>
#include <functional>

#include "host/graph/activation.hpp"
#include "tests/ops/run_op.hpp"

namespace vultus::test {
namespace {

using F = std::vector<float>;
using I = std::vector<int64_t>;
using B = std::vector<bool>;

TEST(Unary, FunctionsMatchDoublePrecision) {
  const std::map<std::string, std::function<double(double)>> cases = {
      {"Neg", [](double x) { return -x; }},
      {"Abs", [](double x) { return std::abs(x); }},
      {"Sign", [](double x) { return static_cast<double>((x > 0) - (x < 0)); }},
      {"Exp", [](double x) { return std::exp(x); }},
      {"Reciprocal", [](double x) { return 1 / x; }},
      {"Floor", [](double x) { return std::floor(x); }},
      {"Ceil", [](double x) { return std::ceil(x); }},
      {"Sin", [](double x) { return std::sin(x); }},
      {"Cos", [](double x) { return std::cos(x); }},
      {"Erf", [](double x) { return std::erf(x); }},
      {"Relu", [](double x) { return x > 0 ? x : 0; }},
      {"LeakyRelu", [](double x) { return x < 0 ? 0.01 * x : x; }},
      {"Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"Tanh", [](double x) { return std::tanh(x); }},
      {"HardSigmoid", [](double x) { return std::min(1.0, std::max(0.0, 0.2 * x + 0.5)); }},
      {"HardSwish", [](double x) { return x * std::min(1.0, std::max(0.0, x / 6 + 0.5)); }},
      {"Silu", [](double x) { return x / (1 + std::exp(-x)); }},
      {"Elu", [](double x) { return x < 0 ? std::exp(x) - 1 : x; }},
      {"Selu",
       [](double x) {
         return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (std::exp(x) - 1));
       }},
      {"Softplus", [](double x) { return std::log(1 + std::exp(x)); }},
      {"Mish", [](double x) { return x * std::tanh(std::log(1 + std::exp(x))); }},
      {"Gelu", [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0))); }},
  };
  Tensor x = random_tensor({3, 67}, 5, -6, 6);
  for (const auto& [op, reference] : cases) {
    SCOPED_TRACE(op);
    Tensor y = run(op, {}, operands(x.clone()));
    ASSERT_EQ(y.shape(), x.shape());
    for (size_t i = 0; i < 3 * 67; ++i) {
      const double expected = reference(static_cast<double>(x.as<float>()[i]));
      // A few roundings of float functions.
      EXPECT_NEAR(static_cast<double>(y.as<float>()[i]), expected, 2e-6 * (1 + std::abs(expected)));
    }
  }
}

TEST(Unary, LogSqrtAndTanhGelu) {
  EXPECT_EQ(values<float>(run("Sqrt", {}, operands(floats({2}, {4, 9})))), (F{2, 3}));
  EXPECT_FLOAT_EQ(run("Log", {}, operands(floats({1}, {5}))).as<float>()[0], std::log(5.0f));
  EXPECT_NEAR(run("Gelu", {{"approximate", std::string("tanh")}}, operands(floats({1}, {1})))
                  .as<float>()[0],
              0.841192f, 1e-5f);
  expect_in("approximate must be",
            refusal("Gelu", {{"approximate", std::string("fast")}}, operands(floats({1}, {1}))));
}

TEST(Unary, RoundTakesHalvesToTheEvenNeighbour) {
  EXPECT_EQ(values<float>(run("Round", {}, operands(floats({5}, {0.5f, 1.5f, 2.5f, -2.5f, 1.6f})))),
            (F{0, 2, 2, -2, 2}));
}

TEST(Unary, SmallestIntegerDoesNotOverflow) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(values<int64_t>(run("Neg", {}, operands(ints({kMin, 3})))), (I{kMin, -3}));
  EXPECT_EQ(values<int64_t>(run("Abs", {}, operands(ints({kMin, -3})))), (I{kMin, 3}));
}

TEST(Unary, TypesWithoutAMeaningAreRefused) {
  expect_in("Exp 'node': input 0 has type int64", refusal("Exp", {}, operands(ints({1}))));
  expect_in("type int64", refusal("Sigmoid", {}, operands(ints({1}))));
  expect_in("type float32", refusal("Not", {}, operands(iota({1}))));
}

TEST(Epilogue, HasTheValuesOfTheOperatorsItStandsFor) {
  Tensor x = random_tensor({97}, 3, -8, 8);
  for (const char* op :
       {"Relu", "LeakyRelu", "Sigmoid", "Silu", "HardSigmoid", "HardSwish", "Tanh"}) {
    SCOPED_TRACE(op);
    Node node;
    node.op = op;
    const auto epilogue = as_epilogue(Graph{}, node);
    ASSERT_TRUE(epilogue);
    Tensor y = run(op, {}, operands(x.clone())), z = x.clone();
    activate(*epilogue, z.as<float>());
    EXPECT_EQ(values<float>(y), values<float>(z));
  }
}

TEST(Clip, BoundsAreAttributesBeforeOpset11AndInputsSince) {
  Tensor x = floats({3}, {-2, 0.25f, 2});
  EXPECT_EQ(values<float>(run("Clip", {{"min", -1.0f}, {"max", 1.0f}}, operands(x.clone()), 9)),
            (F{-1, 0.25f, 1}));
  EXPECT_EQ(values<float>(run("Clip", {}, operands(x.clone(), Tensor{}, scalar(1.0f)))),
            (F{-2, 0.25f, 1}));
  EXPECT_EQ(values<int64_t>(run("Clip", {}, operands(ints({-4, 4}), scalar(int64_t{0})))),
            (I{0, 4}));
  expect_in("bound min must be one float32",
            refusal("Clip", {}, operands(x.clone(), scalar(int64_t{0}))));
}

// Index arithmetic as slow and plain as can be.
double broadcast_at(const Tensor& t, const Shape& out, int64_t i) {
  int64_t at = 0, stride = 1;
  for (int d = -1; d >= -t.shape().rank(); --d) {
    if (t.shape().back(d) != 1) at += i % out.back(d) * stride;
    stride *= t.shape().back(d);
    i /= out.back(d);
  }
  return static_cast<double>(t.as<float>()[static_cast<size_t>(at)]);
}

TEST(Binary, EveryKindOfBroadcastMatchesTheReference) {
  const std::vector<std::pair<Shape, Shape>> shapes = {
      {{2, 3, 4, 5}, {2, 3, 4, 5}},
      {{2, 3, 4, 5}, {}},
      {{}, {2, 3}},
      {{2, 3, 4, 5}, {3, 1, 1}},
      {{1, 3, 1, 1}, {2, 3, 4, 5}},
      {{2, 3, 4, 5}, {5}},
      {{2, 3, 4, 1}, {1, 3, 1, 5}},
      {{4, 1}, {1, 5}},
      {{2, 0, 3}, {1, 3}},
      {{1, 2, 300, 301}, {2, 1, 1}},
      {{1}, {1}},
  };
  for (auto& [a, b] : shapes) {
    SCOPED_TRACE(a.str() + " and " + b.str());
    Tensor x = random_tensor(a, 1), y = random_tensor(b, 2, 0.5f, 2);
    const Shape out = *broadcast(a, b);
    Tensor sum = run("Add", {}, operands(x.clone(), y.clone()));
    Tensor difference = run("Sub", {}, operands(x.clone(), y.clone()));
    Tensor product = run("Mul", {}, operands(x.clone(), y.clone()));
    Tensor quotient = run("Div", {}, operands(x.clone(), y.clone()));
    Tensor most = run("Max", {}, operands(x.clone(), y.clone()));
    ASSERT_EQ(sum.shape(), out);
    bool same = true;
    for (int64_t i = 0; i < out.elements(); ++i) {
      const double p = broadcast_at(x, out, i), q = broadcast_at(y, out, i);
      const auto k = static_cast<size_t>(i);
      same = same && sum.as<float>()[k] == static_cast<float>(p + q) &&
             difference.as<float>()[k] == static_cast<float>(p - q) &&
             product.as<float>()[k] == static_cast<float>(p * q) &&
             std::abs(static_cast<double>(quotient.as<float>()[k]) - p / q) < 1e-6 &&
             most.as<float>()[k] == static_cast<float>(std::max(p, q));
    }
    EXPECT_TRUE(same);
  }
}

TEST(Binary, ShapesThatDoNotBroadcastAreRefused) {
  expect_in("Add 'node': shapes 2x3 and 2 do not broadcast",
            refusal("Add", {}, operands(iota({2, 3}), iota({2}))));
  expect_in("input 1 has type int64", refusal("Add", {}, operands(iota({2}), ints({1, 2}))));
}

TEST(Add, AppliesItsFusedActivation) {
  EXPECT_EQ(values<float>(run("Add", {{"activation", static_cast<int64_t>(Activation::relu)}},
                              operands(floats({2}, {1, -3}), floats({2}, {1, 1})))),
            (F{2, 0}));
}

TEST(Integers, WrapInsteadOfOverflowing) {
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max(), kMin = -kMax - 1;
  EXPECT_EQ(values<int64_t>(run("Add", {}, operands(ints({kMax}), ints({1})))), (I{kMin}));
  EXPECT_EQ(values<int64_t>(run("Mul", {}, operands(ints({kMax}), ints({2})))), (I{-2}));
  EXPECT_EQ(values<int64_t>(run("Div", {}, operands(ints({kMin, 7}), ints({-1, 2})))),
            (I{kMin, 3}));
}

TEST(Integers, DivisionByZeroIsRefused) {
  expect_in("Div 'node': integer division by zero",
            refusal("Div", {}, operands(ints({1, 2}), ints({1, 0}))));
  expect_in("division by zero", refusal("Mod", {}, operands(ints({1}), ints({0}))));
}

TEST(Mod, SignFollowsTheDivisorUnlessFmod) {
  EXPECT_EQ(values<int64_t>(
                run("Mod", {}, operands(ints({-4, 7, 5, 4, -7, 8}), ints({2, -3, 8, -2, 3, 5})))),
            (I{0, -2, 5, 0, 2, 3}));
  EXPECT_EQ(values<float>(run("Mod", {{"fmod", int64_t{1}}},
                              operands(floats({2}, {-4.25f, 7}), floats({2}, {2, -3})))),
            (F{-0.25f, 1}));
  expect_in("need fmod", refusal("Mod", {}, operands(iota({1}), iota({1}))));
}

TEST(Pow, TypesMayDiffer) {
  EXPECT_EQ(values<float>(run("Pow", {}, operands(floats({3}, {1, 2, 3}), ints({2})))),
            (F{1, 4, 9}));
  EXPECT_EQ(values<int64_t>(run("Pow", {}, operands(ints({2, -3}), ints({10, 3})))),
            (I{1024, -27}));
  EXPECT_EQ(values<float>(run("Pow", {}, operands(floats({2}, {4, 9}), scalar(0.5f)))), (F{2, 3}));
  expect_in("negative exponent", refusal("Pow", {}, operands(ints({2}), ints({-1}))));
}

TEST(PRelu, SlopeBroadcastsOneWay) {
  EXPECT_EQ(
      values<float>(run("PRelu", {},
                        operands(floats({2, 2}, {-1, 2, -3, -4}), floats({2, 1}, {0.5f, 0.25f})))),
      (F{-0.5f, 2, -0.75f, -1}));
  expect_in("slope", refusal("PRelu", {}, operands(iota({1, 2}), iota({2, 2}))));
}

TEST(Many, MaxMinSumMeanTakeAnyNumberOfInputs) {
  auto inputs = [] { return operands(floats({2}, {1, 5}), floats({1}, {3}), floats({2}, {2, 1})); };
  EXPECT_EQ(values<float>(run("Max", {}, inputs())), (F{3, 5}));
  EXPECT_EQ(values<float>(run("Min", {}, inputs())), (F{1, 1}));
  EXPECT_EQ(values<float>(run("Sum", {}, inputs())), (F{6, 9}));
  EXPECT_EQ(values<float>(run("Mean", {}, inputs())), (F{2, 3}));
}

TEST(Comparison, GivesBooleans) {
  auto inputs = [] { return operands(floats({3}, {1, 2, 3}), scalar(2.0f)); };
  EXPECT_EQ(values<bool>(run("Equal", {}, inputs())), (B{false, true, false}));
  EXPECT_EQ(values<bool>(run("Greater", {}, inputs())), (B{false, false, true}));
  EXPECT_EQ(values<bool>(run("GreaterOrEqual", {}, inputs())), (B{false, true, true}));
  EXPECT_EQ(values<bool>(run("Less", {}, inputs())), (B{true, false, false}));
  EXPECT_EQ(values<bool>(run("LessOrEqual", {}, inputs())), (B{true, true, false}));
}

TEST(Logical, TruthTables) {
  auto inputs = [] {
    return operands(Tensor::of<bool>({2, 1}, {false, true}), Tensor::of<bool>({2}, {false, true}));
  };
  EXPECT_EQ(values<bool>(run("And", {}, inputs())), (B{false, false, false, true}));
  EXPECT_EQ(values<bool>(run("Or", {}, inputs())), (B{false, true, true, true}));
  EXPECT_EQ(values<bool>(run("Xor", {}, inputs())), (B{false, true, true, false}));
  EXPECT_EQ(values<bool>(run("Equal", {}, inputs())), (B{true, false, false, true}));
  EXPECT_EQ(values<bool>(run("Not", {}, operands(Tensor::of<bool>({2}, {false, true})))),
            (B{true, false}));
}

TEST(Where, BroadcastsAllThree) {
  EXPECT_EQ(values<float>(run("Where", {},
                              operands(Tensor::of<bool>({2, 1}, {true, false}),
                                       floats({3}, {1, 2, 3}), scalar(9.0f)))),
            (F{1, 2, 3, 9, 9, 9}));
  expect_in("have types",
            refusal("Where", {}, operands(Tensor::of<bool>({1}, {true}), iota({1}), ints({1}))));
}

}  // namespace
}  // namespace vultus::test
