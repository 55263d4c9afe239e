#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

struct Block {
  ValueId pooled, hidden, gate, product;
};

ValueId layer(GraphBuilder& b, ValueId x, int64_t outputs, Activation activation) {
  int64_t inputs = b.shape(x)[1];
  ValueId y = b.node("Conv", {x, b.weights({outputs, inputs, 1, 1}), b.weights({outputs})});
  return b.node(activation == Activation::silu ? "Silu" : "Sigmoid", {y});
}

/// x * gate(x) as EfficientNet has it, with the gate on either side.
Block squeeze_excite(GraphBuilder& b, ValueId x, int64_t hidden, bool gate_first = false) {
  Block block{};
  block.pooled = b.node("GlobalAveragePool", {x});
  block.hidden = layer(b, block.pooled, hidden, Activation::silu);
  block.gate = layer(b, block.hidden, b.shape(x)[1], Activation::sigmoid);
  block.product =
      b.node("Mul", gate_first ? std::vector{block.gate, x} : std::vector{x, block.gate});
  return block;
}

ValueId pointwise(GraphBuilder& b, ValueId x, int64_t outputs, Attributes attributes = {}) {
  return b.node("Conv", {x, b.weights({outputs, b.shape(x)[1], 1, 1})}, std::move(attributes));
}

Result<int> fuse_all(Graph& graph) {
  VULTUS_CHECK(fuse_activations(graph));
  VULTUS_TRY(int gates, fuse_squeeze_excite(graph));
  VULTUS_TRY(int scales, fuse_channel_scales(graph));
  return gates + scales;
}

// The exponentials of the two forms differ by units in the last place.
constexpr double kTolerance = 1e-5;

TEST(FuseSqueezeExcite, TheGateIsOneNodeAndItsProductGoesIntoTheConvolution) {
  for (bool gate_first : {false, true})
    for (int64_t batch : {1, 3})
      for (int64_t channels : {5, 8, 24, 33}) {
        GraphBuilder b;
        Block block = squeeze_excite(b, b.input({batch, channels, 6, 7}), 3, gate_first);
        Graph graph = b.build({pointwise(b, block.product, 10)});
        Graph after = expect_kept(graph, fuse_all, 2, kTolerance);
        EXPECT_EQ(ops_of(after), (std::vector<std::string>{"SqueezeExcite", "Conv"}));
        EXPECT_EQ(after.nodes[1].input(5), after.nodes[0].outputs[0]);
        Graph again = after;
        ASSERT_TRUE(optimise(again));
        EXPECT_EQ(ops_of(again), ops_of(after));
      }
}

TEST(FuseSqueezeExcite, AResidualIsAddedAfterTheScale) {
  GraphBuilder b;
  ValueId x = b.input({2, 16, 5, 5});
  ValueId y = pointwise(b, squeeze_excite(b, x, 4).product, 16);
  Graph graph = b.build({b.node("Relu", {b.node("Add", {y, x})})});
  Graph after = graph;
  ASSERT_TRUE(optimise(after));
  EXPECT_EQ(ops_of(after), (std::vector<std::string>{"SqueezeExcite", "Conv"}));
  expect_same_results(graph, after, kTolerance);
}

TEST(FuseSqueezeExcite, AProductThatOthersReadStays) {
  GraphBuilder b;
  Block block = squeeze_excite(b, b.input({1, 8, 4, 4}), 3);
  Graph graph = b.build({pointwise(b, block.product, 4), b.node("Tanh", {block.product})});
  Graph after = expect_kept(graph, fuse_all, 1, kTolerance);
  EXPECT_EQ(count(after, "Mul"), 1);

  GraphBuilder c;
  block = squeeze_excite(c, c.input({1, 8, 4, 4}), 3);
  after = expect_kept(c.build({c.conv(block.product, 4)}), fuse_all, 1, kTolerance);
  EXPECT_EQ(count(after, "Mul"), 1) << "3x3 weights take no scale";

  GraphBuilder d;
  block = squeeze_excite(d, d.input({1, 8, 4, 4}), 3);
  ValueId grouped =
      d.node("Conv", {block.product, d.weights({8, 4, 1, 1})}, {{"group", int64_t{2}}});
  after = expect_kept(d.build({grouped}), fuse_all, 1, kTolerance);
  EXPECT_EQ(count(after, "Mul"), 1) << "nor do groups";
}

TEST(FuseSqueezeExcite, AGateThatIsReadBeforeItsEndStaysApart) {
  GraphBuilder b;
  Block block = squeeze_excite(b, b.input({1, 8, 4, 4}), 3);
  Graph graph = b.build({block.product, block.hidden});
  expect_kept(graph, fuse_all, 0, kTolerance);

  GraphBuilder c;
  block = squeeze_excite(c, c.input({1, 8, 4, 4}), 3);
  graph = c.build({block.product, c.node("Tanh", {block.pooled})});
  expect_kept(graph, fuse_all, 0, kTolerance);
}

TEST(FuseSqueezeExcite, WeightsOfTheInputAndOtherWidthsStayConvolutions) {
  GraphBuilder b;
  ValueId x = b.input({1, 8, 4, 4});
  ValueId pooled = b.node("GlobalAveragePool", {x});
  ValueId hidden = b.node("Conv", {pooled, b.input({3, 8, 1, 1})});
  Graph graph = b.build({b.node("Mul", {x, layer(b, hidden, 8, Activation::sigmoid)})});
  expect_kept(graph, fuse_all, 0, kTolerance);

  GraphBuilder c;
  pooled = c.node("GlobalAveragePool", {c.input({1, 8, 4, 4})});
  graph = c.build({layer(c, layer(c, pooled, 3, Activation::silu), 5, Activation::sigmoid)});
  expect_kept(graph, fuse_all, 0, kTolerance);
}

TEST(FuseChannelScales, OtherProductsStay) {
  GraphBuilder b;
  ValueId x = b.input({2, 8, 4, 4});
  ValueId spatial = pointwise(b, b.node("Mul", {x, b.input({2, 1, 4, 4})}), 4);
  ValueId shared = pointwise(b, b.node("Mul", {x, b.input({1, 8, 1, 1})}), 4);
  ValueId fixed = pointwise(b, b.node("Mul", {x, b.weights({2, 8, 1, 1})}), 4);
  ValueId padded = pointwise(b, b.node("Mul", {x, b.input({2, 8, 1, 1})}), 4,
                             {{"pads", std::vector<int64_t>{1, 1, 1, 1}}});
  expect_kept(b.build({spatial, shared, fixed, padded}), fuse_channel_scales, 0);
}

TEST(FuseChannelScales, AnInputMayBeTheScale) {
  GraphBuilder b;
  ValueId product = b.node("Mul", {b.input({2, 8, 4, 4}), b.input({2, 8, 1, 1})});
  Graph after = expect_kept(b.build({pointwise(b, product, 4)}), fuse_channel_scales, 1);
  EXPECT_EQ(ops_of(after), std::vector<std::string>{"Conv"});
}

TEST(FuseSqueezeExcite, AScaledTensorThatIsAlsoAddedKeepsItsProduct) {
  GraphBuilder b;
  ValueId x = b.input({1, 8, 4, 4}), gate = b.input({1, 8, 1, 1});
  ValueId scaled = b.node("Mul", {x, gate});
  Graph graph = b.build({b.node("Add", {pointwise(b, scaled, 8), scaled})});
  ASSERT_TRUE(fuse_residuals(graph));
  expect_kept(graph, fuse_channel_scales, 0, kTolerance);
}

TEST(FuseSqueezeExcite, ALayerThatReadsItsPaddingIsNoMatrixProduct) {
  GraphBuilder b;
  ValueId pooled = b.node("GlobalAveragePool", {b.input({1, 8, 4, 4})});
  ValueId hidden = pointwise(
      b, pooled, 4,
      {{"pads", std::vector<int64_t>{1, 1, 1, 1}}, {"strides", std::vector<int64_t>{3, 3}}});
  Graph graph = b.build({pointwise(b, hidden, 8)});
  expect_kept(graph, fuse_squeeze_excite, 0, kTolerance);
}

}  // namespace
}  // namespace vultus::test
