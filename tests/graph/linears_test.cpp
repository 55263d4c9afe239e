#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

using Ints = std::vector<int64_t>;

Result<int> recognise(Graph& graph) {
  return recognise_patterns(graph);
}

TEST(RecogniseLinears, AProductWithAConstantAndABiasIsAGemm) {
  for (bool bias_first : {false, true})
    for (const Shape& shape : {Shape{3, 5}, Shape{2, 3, 5}, Shape{2, 1, 3, 5}}) {
      GraphBuilder b;
      ValueId product = b.node("MatMul", {b.input(shape), b.weights({5, 7})});
      ValueId bias = b.weights({7});
      ValueId sum =
          b.node("Add", bias_first ? std::vector{bias, product} : std::vector{product, bias});
      Graph after = expect_kept(b.build({b.node("Relu", {sum})}), recognise, 1);
      EXPECT_EQ(count(after, "Gemm"), 1);
      EXPECT_EQ(count(after, "Reshape"), shape.rank() == 2 ? 0 : 2);
      EXPECT_EQ(count(after, "Add") + count(after, "MatMul"), 0);
    }
}

TEST(RecogniseLinears, OtherSumsOfProductsStay) {
  GraphBuilder b;
  ValueId x = b.input({2, 3, 5});
  auto product = [&] { return b.node("MatMul", {x, b.weights({5, 7})}); };
  ValueId shared = product(), batched = b.node("MatMul", {x, b.weights({2, 5, 7})});
  ValueId computed = b.node("MatMul", {x, b.input({5, 7})});
  ValueId vector = b.node("MatMul", {b.input({5}), b.weights({5, 7})});
  Graph graph = b.build(
      {b.node("Add", {shared, b.weights({7})}), b.node("Tanh", {shared}),
       b.node("Add", {batched, b.weights({7})}), b.node("Add", {computed, b.weights({7})}),
       b.node("Add", {vector, b.weights({7})}), b.node("Add", {product(), b.weights({3, 1})}),
       b.node("Add", {product(), b.input({7})}),
       b.node("Add", {product(), b.weights({4, 1, 1, 7})})});
  expect_kept(graph, recognise, 0);
}

TEST(RecogniseLinears, ATransposedRightSideIsReadAsItLies) {
  for (const Shape& shape : {Shape{3, 5}, Shape{2, 3, 5}, Shape{2, 1, 3, 5}}) {
    GraphBuilder b;
    ValueId x = b.input(shape);
    Ints perm{0, 1, 2, 3};
    perm.resize(static_cast<size_t>(shape.rank()));
    std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
    Graph graph = b.build({b.node("MatMul", {x, b.node("Transpose", {x}, {{"perm", perm}})})});
    Graph after = expect_kept(graph, recognise, 1);
    EXPECT_EQ(ops_of(after), std::vector<std::string>{"MatMul"});
  }
}

TEST(RecogniseLinears, OtherTranspositionsStay) {
  GraphBuilder b;
  ValueId x = b.input({4, 4, 4}), y = b.input({4, 4, 4});
  Graph graph =
      b.build({b.node("MatMul", {x, b.node("Transpose", {x}, {{"perm", Ints{1, 0, 2}}})}),
               b.node("MatMul", {x, b.node("Transpose", {x})}),
               b.node("MatMul", {b.node("Transpose", {x}, {{"perm", Ints{0, 2, 1}}}), y})});
  expect_kept(graph, recognise, 0);
}

ValueId linear(GraphBuilder& b, ValueId x, int64_t columns, bool transposed = true,
               bool bias = true) {
  const int64_t depth = b.shape(x)[1];
  std::vector<ValueId> inputs{
      x, transposed ? b.weights({columns, depth}) : b.weights({depth, columns})};
  if (bias) inputs.push_back(b.weights({columns}));
  return b.node("Gemm", inputs, {{"transB", int64_t{transposed}}, {"alpha", 0.5f}, {"beta", 2.0f}});
}

ValueId unsqueezed(GraphBuilder& b, ValueId x) {
  return b.node("Reshape", {x, b.integers({b.shape(x)[0], 1, b.shape(x)[1]})});
}

TEST(MergeLinears, RowsPutSideBySideComeFromOneGemm) {
  for (int64_t rows : {1, 3})
    for (bool relu : {false, true}) {
      GraphBuilder b;
      ValueId x = b.input({rows, 5});
      std::vector<ValueId> parts;
      for (int i = 0; i < 4; ++i) {
        ValueId y = linear(b, x, 6, i % 2 == 0, i != 2);
        parts.push_back(unsqueezed(b, relu ? b.node("Relu", {y}) : y));
      }
      Graph graph = b.build({b.node("Concat", parts, {{"axis", int64_t{1}}})});
      ASSERT_TRUE(fuse_activations(graph));
      Graph after = expect_kept(graph, merge_linears, 1);
      EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Gemm", "Reshape"}));
    }
}

TEST(MergeLinears, WidthsMayDifferAlongTheLastAxis) {
  GraphBuilder b;
  ValueId x = b.input({3, 5});
  Graph graph =
      b.build({b.node("Concat", {linear(b, x, 2), linear(b, x, 9)}, {{"axis", int64_t{-1}}})});
  EXPECT_EQ(ops_of(expect_kept(graph, merge_linears, 1)),
            (std::vector<std::string>{"Gemm", "Reshape"}));
}

TEST(MergeLinears, DifferentInputsReadersAxesAndFactorsStay) {
  auto expect_apart = [](auto make) {
    GraphBuilder b;
    ValueId x = b.input({3, 5});
    ValueId one = linear(b, x, 4);
    expect_kept(b.build(make(b, x, one)), merge_linears, 0);
  };
  using Ids = std::vector<ValueId>;
  auto concat = [](GraphBuilder& b, Ids parts, int64_t axis) {
    return b.node("Concat", parts, {{"axis", axis}});
  };
  expect_apart([&](GraphBuilder& b, ValueId, ValueId one) {
    return Ids{concat(b, {one, linear(b, b.input({3, 5}), 4)}, 1)};
  });
  expect_apart([&](GraphBuilder& b, ValueId x, ValueId one) {
    return Ids{concat(b, {one, linear(b, x, 4)}, 1), b.node("Tanh", {one})};
  });
  expect_apart([&](GraphBuilder& b, ValueId x, ValueId one) {
    return Ids{concat(b, {one, linear(b, x, 4)}, 0)};
  });
  expect_apart([&](GraphBuilder& b, ValueId x, ValueId one) {
    return Ids{concat(b, {one, b.node("Gemm", {x, b.weights({5, 4})})}, 1)};
  });
  expect_apart([&](GraphBuilder& b, ValueId, ValueId one) {
    return Ids{concat(b, {one, one}, 1)};
  });
  expect_apart([&](GraphBuilder& b, ValueId x, ValueId one) {
    ValueId full =
        b.node("Gemm", {x, b.weights({5, 4}), b.input({3, 4})}, {{"alpha", 0.5f}, {"beta", 2.0f}});
    return Ids{concat(b, {one, full}, 1)};
  });
}

TEST(MergeLinears, NoRowsAreLeftAlone) {
  GraphBuilder b;
  ValueId x = b.node("Slice", {b.input({4, 8}), b.integers({0}), b.integers({0}), b.integers({0})});
  ValueId one = b.node("Gemm", {x, b.weights({8, 3})}),
          two = b.node("Gemm", {x, b.weights({8, 3})});
  Graph graph = b.build({b.node("Concat", {one, two}, {{"axis", int64_t{1}}})});
  expect_kept(graph, merge_linears, 0);
}

}  // namespace
}  // namespace vultus::test
