#include <cmath>

#include "tests/ops/run_op.hpp"

namespace vultus::test {
namespace {

using F = std::vector<float>;

double number(const Tensor& t, int64_t i) {
  return static_cast<double>(t.as<float>()[static_cast<size_t>(i)]);
}

TEST(Gemm, EveryTranspositionMatchesTheReference) {
  constexpr int64_t m = 3, n = 4, k = 5;
  for (int64_t ta : {0, 1})
    for (int64_t tb : {0, 1})
      for (const Shape& c : {Shape{m, n}, Shape{n}, Shape{m, 1}, Shape{}}) {
        SCOPED_TRACE(c.str());
        Tensor a = random_tensor(ta ? Shape{k, m} : Shape{m, k}, 1);
        Tensor b = random_tensor(tb ? Shape{n, k} : Shape{k, n}, 2), bias = random_tensor(c, 3);
        Tensor y = run("Gemm", {{"transA", ta}, {"transB", tb}, {"alpha", 0.5f}, {"beta", 2.0f}},
                       operands(a.clone(), b.clone(), bias.clone()));
        ASSERT_EQ(y.shape(), (Shape{m, n}));
        for (int64_t i = 0; i < m; ++i)
          for (int64_t j = 0; j < n; ++j) {
            double sum = 0;
            for (int64_t p = 0; p < k; ++p)
              sum += number(a, ta ? p * m + i : i * k + p) * number(b, tb ? j * k + p : p * n + j);
            const int64_t at = c.rank() == 0      ? 0
                               : c == Shape{m, 1} ? i
                               : c == Shape{n}    ? j
                                                  : i * n + j;
            // Two float roundings: the product and the sum with C.
            EXPECT_NEAR(number(y, i * n + j), 0.5 * sum + 2 * number(bias, at), 1e-6);
          }
      }
}

TEST(Gemm, BadShapesAreRefused) {
  expect_in("inner sizes 3 and 2 differ",
            refusal("Gemm", {}, operands(iota({2, 3}), iota({2, 3}))));
  expect_in("rank 2", refusal("Gemm", {}, operands(iota({2, 3, 1}), iota({2, 3}))));
  expect_in("C of shape 3", refusal("Gemm", {}, operands(iota({2, 3}), iota({3, 2}), iota({3}))));
}

TEST(MatMul, BatchesBroadcast) {
  Tensor a = random_tensor({2, 1, 3, 4}, 1), b = random_tensor({3, 4, 2}, 2);
  Tensor y = run("MatMul", {}, operands(a.clone(), b.clone()));
  ASSERT_EQ(y.shape(), (Shape{2, 3, 3, 2}));
  for (int64_t i = 0; i < 36; ++i) {
    const int64_t column = i % 2, row = i / 2 % 3, second = i / 6 % 3, first = i / 18;
    double sum = 0;
    for (int64_t p = 0; p < 4; ++p)
      sum += number(a, first * 12 + row * 4 + p) * number(b, second * 8 + p * 2 + column);
    EXPECT_NEAR(number(y, i), sum, 1e-6);
  }
}

// Sums are kept for some columns at a time.
TEST(MatMul, LongRowsMatchTheReference) {
  Tensor a = random_tensor({2, 3}, 1), b = random_tensor({3, 700}, 2);
  Tensor y = run("MatMul", {}, operands(a.clone(), b.clone()));
  for (size_t i = 0; i < 1400; ++i) {
    double sum = 0;
    for (size_t k = 0; k < 3; ++k)
      sum += static_cast<double>(a.as<float>()[i / 700 * 3 + k]) *
             static_cast<double>(b.as<float>()[k * 700 + i % 700]);
    EXPECT_NEAR(static_cast<double>(y.as<float>()[i]), sum, 1e-6);
  }
}

TEST(MatMul, TheRightMatricesMayLieTransposed) {
  Tensor y = run("MatMul", {{"transB", int64_t{1}}}, operands(iota({2, 1, 3}), iota({2, 3})));
  EXPECT_EQ(y.shape(), (Shape{2, 1, 2}));
  EXPECT_EQ(values<float>(y), (F{5, 14, 14, 50}));
  expect_in("inner sizes 3 and 2",
            refusal("MatMul", {{"transB", int64_t{1}}}, operands(iota({2, 3}), iota({3, 2}))));
  expect_in("a vector",
            refusal("MatMul", {{"transB", int64_t{1}}}, operands(iota({3}), iota({3}))));
}

TEST(MatMul, VectorsLoseTheirAxis) {
  EXPECT_EQ(run("MatMul", {}, operands(iota({4}), iota({4}))).shape(), Shape{});
  EXPECT_EQ(run("MatMul", {}, operands(iota({4}), iota({2, 4, 3}))).shape(), (Shape{2, 3}));
  EXPECT_EQ(values<float>(run("MatMul", {}, operands(iota({2, 2}), iota({2})))), (F{1, 3}));
  expect_in("inner sizes 3 and 2", refusal("MatMul", {}, operands(iota({2, 3}), iota({2, 3}))));
  expect_in("batches", refusal("MatMul", {}, operands(iota({2, 1, 3}), iota({3, 3, 1}))));
}

TEST(Einsum, ProductsTracesAndTranspositions) {
  auto with = [](const std::string& equation, const std::vector<Operand>& x) {
    return run("Einsum", {{"equation", equation}}, x);
  };
  EXPECT_EQ(values<float>(with("ij,jk->ik", operands(iota({2, 2}), iota({2, 2})))),
            (F{2, 3, 6, 11}));
  EXPECT_EQ(values<float>(with("ij, jk", operands(iota({2, 2}), iota({2, 2})))), (F{2, 3, 6, 11}));
  EXPECT_EQ(values<float>(with("ij->ji", operands(iota({2, 2})))), (F{0, 2, 1, 3}));
  EXPECT_EQ(values<float>(with("ii", operands(iota({2, 2})))), (F{3}));
  EXPECT_EQ(values<float>(with("i,j->ij", operands(iota({2}), iota({3})))), (F{0, 0, 0, 0, 1, 2}));
  EXPECT_EQ(values<float>(with("bnd,bmd->bnm", operands(iota({1, 2, 2}), iota({1, 1, 2})))),
            (F{1, 3}));
}

TEST(Einsum, BadEquationsAreRefused) {
  auto with = [](const std::string& equation) {
    return refusal("Einsum", {{"equation", equation}}, operands(iota({2, 3}), iota({2, 3})));
  };
  expect_in("only letters", with("...ij,jk->ik"));
  expect_in("label 'j' has sizes 3 and 2", with("ij,jk->ik"));
  expect_in("has 1 operands, the node 2", with("ij->ij"));
  expect_in("does not fit shape", with("ijk,ij->k"));
  expect_in("output label 'z'", with("ij,ij->z"));
}

TEST(Einsum, CountsMultiplyAccumulates) {
  auto graph = single_node("Einsum", {{"equation", std::string("ij,jk->ik")}},
                           operands(iota({2, 3}), iota({3, 4})));
  ASSERT_TRUE(graph);
  EXPECT_EQ(macs(*graph, graph->node(0)), 24);
}

TEST(Softmax, RowsAreOneAxisSinceOpset13) {
  Tensor x = random_tensor({2, 3, 4}, 5, -4, 4);
  Tensor last = run("Softmax", {}, operands(x.clone()));
  Tensor middle = run("Softmax", {{"axis", int64_t{1}}}, operands(x.clone()));
  Tensor logs = run("LogSoftmax", {{"axis", int64_t{1}}}, operands(x.clone()));
  for (int64_t i = 0; i < 24; ++i) {
    double row = 0, column = 0;
    for (int64_t k = 0; k < 4; ++k)
      row += std::exp(number(x, i / 4 * 4 + k));
    for (int64_t k = 0; k < 3; ++k)
      column += std::exp(number(x, i / 12 * 12 + k * 4 + i % 4));
    // Rounded to float once.
    EXPECT_NEAR(number(last, i), std::exp(number(x, i)) / row, 1e-7);
    EXPECT_NEAR(number(middle, i), std::exp(number(x, i)) / column, 1e-7);
    EXPECT_NEAR(number(logs, i), number(x, i) - std::log(column), 1e-6);
  }
}

TEST(Softmax, RowsAreAllThatFollowsBeforeOpset13) {
  Tensor y = run("Softmax", {}, operands(floats({1, 2, 2}, {0, 0, 0, 0})), 11);
  EXPECT_EQ(values<float>(y), (F{0.25f, 0.25f, 0.25f, 0.25f}));
  Tensor z = run("Softmax", {}, operands(floats({1, 2, 2}, {0, 0, 0, 0})), 13);
  EXPECT_EQ(values<float>(z), (F{0.5f, 0.5f, 0.5f, 0.5f}));
}

TEST(Softmax, LargeNumbersDoNotOverflow) {
  EXPECT_EQ(values<float>(run("Softmax", {}, operands(floats({2}, {1e30f, -1e30f})))), (F{1, 0}));
}

TEST(BatchNormalization, ScalesEachChannel) {
  Tensor y = run("BatchNormalization", {{"epsilon", 0.0f}},
                 operands(floats({1, 2, 1, 2}, {1, 2, 3, 4}), floats({2}, {1, 2}),
                          floats({2}, {0, 1}), floats({2}, {1, 3}), floats({2}, {1, 4})));
  EXPECT_EQ(values<float>(y), (F{0, 1, 1, 2}));
}

TEST(BatchNormalization, TrainingIsRefused) {
  auto inputs = [](int64_t channels) {
    return operands(iota({1, 2, 1, 2}), iota({channels}), iota({2}), iota({2}), iota({2}));
  };
  expect_in("training mode",
            refusal("BatchNormalization", {{"training_mode", int64_t{1}}}, inputs(2)));
  expect_in("input 1 has shape 3", refusal("BatchNormalization", {}, inputs(3)));
}

TEST(InstanceNormalization, NormalisesEveryPlane) {
  Tensor x = random_tensor({2, 3, 4, 5}, 9, -3, 3), scale = random_tensor({3}, 10),
         bias = random_tensor({3}, 11);
  Tensor y = run("InstanceNormalization", {{"epsilon", 1e-3f}},
                 operands(x.clone(), scale.clone(), bias.clone()));
  for (int64_t p = 0; p < 6; ++p) {
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < 20; ++i)
      mean += number(x, p * 20 + i) / 20;
    for (int64_t i = 0; i < 20; ++i)
      variance += std::pow(number(x, p * 20 + i) - mean, 2) / 20;
    for (int64_t i = 0; i < 20; ++i)
      // Float rounding of values up to about 3; epsilon is a float.
      EXPECT_NEAR(
          number(y, p * 20 + i),
          (number(x, p * 20 + i) - mean) / std::sqrt(variance + 1e-3) * number(scale, p % 3) +
              number(bias, p % 3),
          1e-6);
  }
}

TEST(LayerNormalization, NormalisesFromTheAxisOn) {
  Tensor y = run("LayerNormalization", {{"epsilon", 0.0f}},
                 operands(floats({2, 2}, {1, 3, -2, 2}), floats({2}, {1, 2}), floats({2}, {0, 1})));
  EXPECT_EQ(values<float>(y), (F{-1, 3, -1, 3}));
  expect_in("input 1 has shape 3",
            refusal("LayerNormalization", {}, operands(iota({2, 2}), iota({3}))));
}

TEST(LayerNormalization, GivesMeanAndInverseDeviationOfEachRow) {
  auto results =
      test::run_op("LayerNormalization", {{"axis", int64_t{1}}, {"epsilon", 0.0f}},
                   operands(floats({2, 1, 2}, {1, 3, -2, 6}), floats({1, 2}, {1, 2})), 3);
  ASSERT_TRUE(results) << results.error().what;
  EXPECT_EQ((*results)[1].shape(), (Shape{2, 1, 1}));
  EXPECT_EQ(values<float>((*results)[1]), (F{2, 2}));
  EXPECT_EQ(values<float>((*results)[2]), (F{1, 0.25f}));
}

TEST(LRN, SumsSquaresOfNeighbouringChannels) {
  Tensor y = run("LRN", {{"size", int64_t{3}}, {"alpha", 3.0f}, {"beta", 1.0f}, {"bias", 1.0f}},
                 operands(floats({1, 3, 1}, {1, 2, 3})));
  EXPECT_FLOAT_EQ(y.as<float>()[0], 1.0f / 6);
  EXPECT_FLOAT_EQ(y.as<float>()[1], 2.0f / 15);
  EXPECT_FLOAT_EQ(y.as<float>()[2], 3.0f / 14);
}

}  // namespace
}  // namespace vultus::test
