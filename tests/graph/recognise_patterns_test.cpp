#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

using Ints = std::vector<int64_t>;

TEST(RecognisePatterns, XTimesItsSigmoidIsSilu) {
  for (bool gate_first : {true, false}) {
    GraphBuilder b;
    ValueId x = b.input({2, 3, 4, 4});
    ValueId gate = b.node("Sigmoid", {x});
    Graph graph =
        b.build({b.node("Mul", gate_first ? std::vector{gate, x} : std::vector{x, gate})});
    Graph after = expect_kept(graph, recognise_patterns, 1);
    EXPECT_EQ(ops_of(after), std::vector<std::string>{"Silu"});
  }
}

TEST(RecognisePatterns, AGateThatSomeoneElseReadsStays) {
  GraphBuilder b;
  ValueId x = b.input({2, 3}), other = b.input({2, 3});
  ValueId gate = b.node("Sigmoid", {x});
  ValueId foreign = b.node("Sigmoid", {other});
  Graph graph = b.build({b.node("Mul", {x, gate}), gate, b.node("Mul", {x, foreign})});
  expect_kept(graph, recognise_patterns, 0);
}

TEST(RecognisePatterns, HardSigmoidOfOneSixthIsHardSwish) {
  for (float alpha : {1.0f / 6, 0.2f}) {
    GraphBuilder b;
    ValueId x = b.input({2, 30});
    ValueId gate = b.node("HardSigmoid", {x}, {{"alpha", alpha}, {"beta", 0.5f}});
    Graph graph = b.build({b.node("Mul", {x, gate})});
    Graph after = expect_kept(graph, recognise_patterns, alpha == 0.2f ? 0 : 1);
    EXPECT_EQ(count(after, "HardSwish"), alpha == 0.2f ? 0 : 1);
  }
}

TEST(RecognisePatterns, MeanOverHeightAndWidthIsAGlobalPool) {
  for (int64_t keep : {0, 1}) {
    GraphBuilder b;
    ValueId x = b.input({2, 3, 4, 5});
    Graph graph = b.build({b.node("ReduceMean", {x}, {{"axes", Ints{-1, 2}}, {"keepdims", keep}})});
    Graph after = expect_kept(graph, recognise_patterns, 1);
    EXPECT_EQ(ops_of(after), keep ? std::vector<std::string>{"GlobalAveragePool"}
                                  : (std::vector<std::string>{"GlobalAveragePool", "Reshape"}));
  }
  GraphBuilder b(18);
  Graph graph = b.build({b.node("ReduceMean", {b.input({2, 3, 4, 5}), b.integers({2, 3})})});
  EXPECT_EQ(ops_of(expect_kept(graph, recognise_patterns, 1)),
            std::vector<std::string>{"GlobalAveragePool"});
}

TEST(RecognisePatterns, OtherMeansStay) {
  GraphBuilder b;
  ValueId x = b.input({2, 3, 4, 5});
  Graph graph =
      b.build({b.node("ReduceMean", {x}, {{"axes", Ints{1, 2}}}),
               b.node("ReduceMean", {x}, {{"axes", Ints{3}}}), b.node("ReduceMean", {x})});
  expect_kept(graph, recognise_patterns, 0);
}

TEST(RecognisePatterns, ZeroPadsGoIntoTheConvolution) {
  GraphBuilder b;
  ValueId x = b.input({1, 3, 6, 6});
  ValueId padded = b.node("Pad", {x, b.integers({0, 0, 0, 1, 0, 0, 1, 2})});
  Graph graph = b.build({b.conv(padded, 4, {{"pads", Ints{1, 0, 0, 0}}})});
  Graph after = expect_kept(graph, recognise_patterns, 1);
  EXPECT_EQ(ops_of(after), std::vector<std::string>{"Conv"});
  EXPECT_EQ(after.nodes[0].integers("pads"), (Ints{1, 1, 1, 2}));
}

TEST(RecognisePatterns, OldPadsWithAttributesDoToo) {
  GraphBuilder b(9);
  ValueId x = b.node("Pad", {b.input({1, 3, 6, 6})},
                     {{"pads", Ints{0, 0, 1, 1, 0, 0, 1, 1}}, {"value", 0.0f}});
  Graph graph = b.build({b.conv(x, 4)});
  EXPECT_EQ(ops_of(expect_kept(graph, recognise_patterns, 1)), std::vector<std::string>{"Conv"});
}

TEST(RecognisePatterns, OtherPadsStay) {
  auto pad = [](Ints pads, float value, const char* mode) {
    GraphBuilder b;
    ValueId x = b.input({1, 3, 6, 6});
    x = b.node("Pad", {x, b.integers(pads), b.constant(Tensor::of<float>({}, {value}))},
               {{"mode", std::string(mode)}});
    return b.build({b.conv(x, 4)});
  };
  expect_kept(pad({0, 0, 1, 1, 0, 0, 1, 1}, 0.5f, "constant"), recognise_patterns, 0);
  expect_kept(pad({0, 0, 1, 1, 0, 0, 1, 1}, 0, "edge"), recognise_patterns, 0);
  expect_kept(pad({0, 1, 0, 0, 0, 0, 0, 0}, 0, "constant"), recognise_patterns, 0);
  expect_kept(pad({0, 0, -1, 0, 0, 0, 0, 0}, 0, "constant"), recognise_patterns, 0);
}

TEST(RecognisePatterns, AveragePoolsTakePadsOnlyWhenTheyCount) {
  for (bool counts : {true, false}) {
    GraphBuilder b;
    ValueId x = b.node("Pad", {b.input({1, 2, 6, 6}), b.integers({0, 0, 1, 1, 0, 0, 1, 1})});
    Graph graph = b.build({b.node("AveragePool", {x},
                                  {{"kernel_shape", Ints{3, 3}},
                                   {"pads", Ints{1, 1, 1, 1}},
                                   {"count_include_pad", int64_t{counts}}})});
    expect_kept(graph, recognise_patterns, counts ? 1 : 0);
  }
  GraphBuilder b;
  ValueId x = b.node("Pad", {b.input({1, 2, 6, 6}), b.integers({0, 0, 1, 1, 0, 0, 1, 1})});
  Graph graph = b.build({b.node("AveragePool", {x}, {{"kernel_shape", Ints{3, 3}}})});
  expect_kept(graph, recognise_patterns, 1);
}

TEST(RecognisePatterns, SqueezesAndGathersOfOnePositionAreReshapes) {
  GraphBuilder b;
  ValueId x = b.node("Relu", {b.input({1, 4, 1, 5})});
  Graph graph = b.build({
      b.node("Squeeze", {x, b.integers({0, 2})}),
      b.node("Unsqueeze", {x, b.integers({0, -1})}),
      b.node("Flatten", {x}, {{"axis", int64_t{2}}}),
      b.node("Gather", {x, b.constant(Tensor::of<int64_t>({}, {-2}))}, {{"axis", int64_t{1}}}),
      b.node("Gather", {x, b.integers({3})}, {{"axis", int64_t{3}}}),
      b.node("Gather", {x, b.integers({3, 1})}, {{"axis", int64_t{3}}}),
  });
  Graph after = expect_kept(graph, recognise_patterns, 5);
  EXPECT_EQ(count(after, "Gather"), 1);
  EXPECT_EQ(count(after, "Slice"), 2);
  EXPECT_EQ(count(after, "Reshape"), 5);
}

TEST(RecognisePatterns, SumsOfSquaresAndTheirRoots) {
  for (int opset : {11, 13, 18}) {
    GraphBuilder b(opset);
    ValueId x = b.input({2, 3, 4});
    ValueId square = b.node("Mul", {x, x});
    Attributes attributes{{"keepdims", int64_t{0}}};
    std::vector<ValueId> inputs{square};
    if (opset < 13)
      attributes["axes"] = Ints{-1};
    else
      inputs.push_back(b.integers({-1}));
    ValueId sum = b.node("ReduceSum", inputs, attributes);
    Graph after = expect_kept(b.build({b.node("Sqrt", {sum})}), recognise_patterns, 2);
    EXPECT_EQ(ops_of(after), std::vector<std::string>{"ReduceL2"}) << opset;
  }
}

TEST(RecognisePatterns, OtherSumsAndRootsStay) {
  GraphBuilder b;
  ValueId x = b.input({2, 3, 4}), y = b.input({2, 3, 4});
  ValueId read_twice = b.node("Mul", {x, x});
  ValueId sum = b.node("ReduceSum", {read_twice, b.integers({1})});
  ValueId product = b.node("ReduceSum", {b.node("Mul", {x, y}), b.integers({1})});
  Graph graph = b.build({b.node("Sqrt", {sum}), b.node("Tanh", {read_twice}),
                         b.node("Sqrt", {b.node("Abs", {product})}), product});
  expect_kept(graph, recognise_patterns, 0);
}

TEST(RecognisePatterns, PlainEinsumsBecomePlainOperators) {
  struct Case {
    const char* equation;
    std::vector<Shape> shapes;
    std::vector<std::string> ops;
    int changes = 1;
  };
  const Case cases[] = {
      {"bij,bjk->bik", {{2, 3, 4}, {2, 4, 5}}, {"MatMul"}},
      {"ij, jk -> ik", {{3, 4}, {4, 5}}, {"MatMul"}},
      {"bij,jk->bik", {{2, 3, 4}, {4, 5}}, {"MatMul"}},
      {"bij,bkj->bik", {{2, 3, 4}, {2, 5, 4}}, {"MatMul"}, 2},  // and transB
      {"jbi,kbj->bik", {{4, 2, 3}, {5, 2, 4}}, {"Transpose", "Transpose", "MatMul"}},
      {"abc->cab", {{2, 3, 4}}, {"Transpose"}},
      {"ab,ab->ab", {{2, 3}, {2, 3}}, {"Mul"}},
  };
  for (const Case& c : cases) {
    GraphBuilder b;
    std::vector<ValueId> inputs;
    for (const Shape& s : c.shapes)
      inputs.push_back(b.input(s));
    Graph graph = b.build({b.node("Einsum", inputs, {{"equation", std::string(c.equation)}})});
    Graph after = expect_kept(graph, recognise_patterns, c.changes);
    EXPECT_EQ(ops_of(after), c.ops) << c.equation;
  }
}

}  // namespace
}  // namespace vultus::test
