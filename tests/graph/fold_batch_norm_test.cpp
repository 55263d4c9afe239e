#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

TEST(FoldBatchNorm, GoesIntoTheConvolutionBeforeIt) {
  for (bool bias : {true, false}) {
    GraphBuilder b;
    ValueId x = b.conv(b.input({1, 4, 6, 5}), 6, {}, bias);
    Graph graph = b.build({b.batch_norm(x, 0.25f)});
    Graph after = expect_kept(graph, fold_batch_norm, 1);
    EXPECT_EQ(ops_of(after), std::vector<std::string>{"Conv"});
  }
}

TEST(FoldBatchNorm, GroupsKeepTheirChannels) {
  GraphBuilder b;
  ValueId x = b.conv(b.input({1, 6, 5, 5}), 6, {{"group", int64_t{3}}});
  Graph graph = b.build({b.batch_norm(x)});
  expect_kept(graph, fold_batch_norm, 1);
}

TEST(FoldBatchNorm, TransposedConvolutionsCountChannelsByGroup) {
  for (int64_t group : {1, 2}) {
    GraphBuilder b;
    ValueId x = b.input({1, 4, 3, 3});
    x = b.node("ConvTranspose", {x, b.weights({4, 3, 2, 2}), b.weights({3 * group})},
               {{"group", group}, {"strides", std::vector<int64_t>{2, 2}}});
    Graph graph = b.build({b.batch_norm(x)});
    expect_kept(graph, fold_batch_norm, 1);
  }
}

TEST(FoldBatchNorm, GemmTakesItWithItsFactors) {
  for (int64_t trans : {0, 1}) {
    GraphBuilder b;
    ValueId x = b.input({3, 5});
    ValueId w = b.weights(trans ? Shape{7, 5} : Shape{5, 7});
    x = b.node("Gemm", {x, w, b.weights({7})},
               {{"transB", trans}, {"alpha", 0.5f}, {"beta", 3.0f}});
    Graph graph = b.build({b.batch_norm(x)});
    expect_kept(graph, fold_batch_norm, 1);
  }
}

TEST(FoldBatchNorm, ArithmeticPerChannelIsTheSame) {
  GraphBuilder b;
  ValueId x = b.conv(b.input({2, 3, 6, 5}), 4);
  x = b.node("Mul", {x, b.weights({4, 1, 1})});
  x = b.node("Add", {b.weights({1, 4, 1, 1}), x});
  x = b.node("Sub", {b.weights({1}), x});
  x = b.node("Div", {x, b.weights({4, 1, 1}, 1, 2)});
  x = b.batch_norm(x);
  Graph graph = b.build({x});
  Graph after = expect_kept(graph, fold_batch_norm, 5);
  EXPECT_EQ(ops_of(after), std::vector<std::string>{"Conv"});
}

TEST(FoldBatchNorm, OtherReadersAndOutputsKeepTheConvolution) {
  GraphBuilder b;
  ValueId x = b.conv(b.input({1, 2, 5, 5}), 3);
  Graph read_twice = b.build({b.batch_norm(x), b.node("Relu", {x})});
  expect_kept(read_twice, fold_batch_norm, 0);

  GraphBuilder c;
  x = c.conv(c.input({1, 2, 5, 5}), 3);
  Graph is_output = c.build({x, c.batch_norm(x)});
  expect_kept(is_output, fold_batch_norm, 0);
}

TEST(FoldBatchNorm, ConstantsThatAreNotPerChannelStay) {
  GraphBuilder b;
  ValueId x = b.conv(b.input({1, 2, 5, 5}), 3);
  x = b.node("Mul", {x, b.weights({3})});  // along the width, which is 3 as well
  x = b.node("Div", {b.weights({1}, 1, 2), b.conv(x, 3, {{"pads", std::vector<int64_t>(4, 1)}})});
  Graph graph = b.build({x});
  expect_kept(graph, fold_batch_norm, 0);
}

}  // namespace
}  // namespace vultus::test
