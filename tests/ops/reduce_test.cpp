#include <bit>
#include <cmath>

#include "tests/ops/run_op.hpp"

namespace vultus::test {
namespace {

using F = std::vector<float>;
using I = std::vector<int64_t>;

double reference(const std::string& op, const std::vector<double>& x) {
  double sum = 0, product = 1, l1 = 0, squares = 0, exponentials = 0, most = -INFINITY,
         least = INFINITY;
  for (double v : x) {
    sum += v;
    product *= v;
    l1 += std::abs(v);
    squares += v * v;
    exponentials += std::exp(v);
    most = std::max(most, v);
    least = std::min(least, v);
  }
  if (op == "ReduceSum") return sum;
  if (op == "ReduceMean") return sum / static_cast<double>(x.size());
  if (op == "ReduceMax") return most;
  if (op == "ReduceMin") return least;
  if (op == "ReduceProd") return product;
  if (op == "ReduceL1") return l1;
  if (op == "ReduceL2") return std::sqrt(squares);
  if (op == "ReduceSumSquare") return squares;
  if (op == "ReduceLogSum") return std::log(sum);
  return std::log(exponentials);
}

TEST(Reduce, EveryKindOverEverySetOfAxesMatchesTheReference) {
  const Shape shape{2, 3, 4};
  Tensor x = random_tensor(shape, 7, 0.25f, 2);
  for (const char* op :
       {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
        "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"})
    for (unsigned mask = 1; mask < 8; ++mask) {
      SCOPED_TRACE(std::string(op) + " mask " + std::to_string(mask));
      Tensor axes(DType::i64, {std::popcount(mask)});
      Shape kept;
      size_t n = 0;
      for (int d = 0; d < 3; ++d) {
        if (mask >> d & 1) axes.as<int64_t>()[n++] = d - 3;
        kept.push_back(mask >> d & 1 ? 1 : shape[d]);
      }
      Tensor y = run(op, {}, operands(x.clone(), std::move(axes)));
      ASSERT_EQ(y.shape(), kept);
      std::vector<std::vector<double>> groups(static_cast<size_t>(kept.elements()));
      const Shape strides = kept.strides();
      for (int64_t i = 0; i < shape.elements(); ++i) {
        const int64_t at[] = {i / 12, i / 4 % 3, i % 4};
        int64_t to = 0;
        for (int d = 0; d < 3; ++d)
          to += kept[d] == 1 ? 0 : at[d] * strides[d];
        groups[static_cast<size_t>(to)].push_back(
            static_cast<double>(x.as<float>()[static_cast<size_t>(i)]));
      }
      for (size_t i = 0; i < groups.size(); ++i) {
        const double expected = reference(op, groups[i]);
        // One rounding to float after double sums.
        EXPECT_NEAR(static_cast<double>(y.as<float>()[i]), expected,
                    1e-6 * (1 + std::abs(expected)));
      }
    }
}

TEST(Reduce, AxesMoveFromAttributeToInput) {
  Tensor x = iota({2, 3});
  EXPECT_EQ(values<float>(run("ReduceSum", {{"axes", I{1}}, {"keepdims", int64_t{0}}},
                              operands(x.clone()), 11)),
            (F{3, 12}));
  EXPECT_EQ(values<float>(run("ReduceSum", {}, operands(x.clone(), ints({0})), 13)), (F{3, 5, 7}));
  EXPECT_EQ(values<float>(run("ReduceMax", {{"axes", I{-1}}}, operands(x.clone()), 13)), (F{2, 5}));
  EXPECT_EQ(values<float>(run("ReduceMax", {}, operands(x.clone(), ints({-1})), 18)), (F{2, 5}));
}

TEST(Reduce, NoAxesMeansAllUnlessToldOtherwise) {
  Tensor x = iota({2, 2});
  EXPECT_EQ(run("ReduceSum", {}, operands(x.clone())).shape(), (Shape{1, 1}));
  EXPECT_EQ(values<float>(run("ReduceSum", {{"noop_with_empty_axes", int64_t{1}}},
                              operands(x.clone(), ints({})))),
            (F{0, 1, 2, 3}));
}

TEST(Reduce, IntegersStayIntegers) {
  EXPECT_EQ(values<int64_t>(run("ReduceProd", {}, operands(ints({2, 3, 4})))), (I{24}));
  EXPECT_EQ(values<int64_t>(run("ReduceMin", {}, operands(ints({2, -3, 4})))), (I{-3}));
}

TEST(Reduce, BooleansHaveAMaximumFromOpset20On) {
  Tensor x = Tensor::of<bool>({2, 2}, {false, true, false, false});
  EXPECT_EQ(values<bool>(run("ReduceMax", {}, operands(x.clone(), ints({1})), 20)),
            (std::vector<bool>{true, false}));
  expect_in("type bool", refusal("ReduceMax", {}, operands(x.clone(), ints({1})), 18));
  expect_in("type bool", refusal("ReduceSum", {}, operands(x.clone(), ints({1})), 20));
}

TEST(Reduce, LogSumExpOfLargeNumbersDoesNotOverflow) {
  EXPECT_FLOAT_EQ(run("ReduceLogSumExp", {}, operands(floats({2}, {1000, 1000}))).as<float>()[0],
                  1000 + std::log(2.0f));
}

TEST(Reduce, BadAxesAreRefused) {
  expect_in("axis 2 is out of range", refusal("ReduceSum", {}, operands(iota({2, 2}), ints({2}))));
  expect_in("given twice", refusal("ReduceSum", {}, operands(iota({2, 2}), ints({0, -2}))));
  expect_in("nothing to reduce", refusal("ReduceMax", {}, operands(iota({2, 0}), ints({1}))));
}

TEST(ArgMax, TiesGoToTheFirstUnlessAskedForTheLast) {
  auto x = [] { return operands(floats({2, 3}, {1, 3, 3, 5, 5, 0})); };
  EXPECT_EQ(values<int64_t>(run("ArgMax", {{"axis", int64_t{1}}}, x())), (I{1, 0}));
  EXPECT_EQ(values<int64_t>(
                run("ArgMax", {{"axis", int64_t{1}}, {"select_last_index", int64_t{1}}}, x())),
            (I{2, 1}));
  Tensor least = run("ArgMin", {{"keepdims", int64_t{0}}}, x());
  EXPECT_EQ(least.shape(), (Shape{3}));
  EXPECT_EQ(values<int64_t>(least), (I{0, 0, 1}));
}

TEST(TopK, SortsAndBreaksTiesByIndex) {
  auto top = run_op("TopK", {{"axis", int64_t{1}}},
                    operands(floats({1, 5}, {1, 4, 4, NAN, 2}), ints({3})), 2);
  ASSERT_TRUE(top);
  EXPECT_EQ(values<int64_t>((*top)[1]), (I{3, 1, 2}));
  auto bottom = run_op("TopK", {{"axis", int64_t{0}}, {"largest", int64_t{0}}},
                       operands(floats({3, 1}, {3, 1, 2}), ints({2})), 2);
  ASSERT_TRUE(bottom);
  EXPECT_EQ(values<float>((*bottom)[0]), (F{1, 2}));
  auto attribute = run_op("TopK", {{"k", int64_t{1}}}, operands(floats({2}, {3, 5})), 2, 9);
  ASSERT_TRUE(attribute);
  EXPECT_EQ(values<float>((*attribute)[0]), (F{5}));
}

TEST(TopK, MoreThanThereAreIsRefused) {
  expect_in("TopK 'node': k = 4 of axis 0 with size 3",
            refusal("TopK", {}, operands(iota({3}), ints({4})), 18, 2));
}

TEST(CumSum, ExamplesOfTheSpecification) {
  auto x = [] { return operands(floats({3}, {1, 2, 3}), scalar(int64_t{0})); };
  EXPECT_EQ(values<float>(run("CumSum", {}, x())), (F{1, 3, 6}));
  EXPECT_EQ(values<float>(run("CumSum", {{"exclusive", int64_t{1}}}, x())), (F{0, 1, 3}));
  EXPECT_EQ(values<float>(run("CumSum", {{"reverse", int64_t{1}}}, x())), (F{6, 5, 3}));
}

}  // namespace
}  // namespace vultus::test
