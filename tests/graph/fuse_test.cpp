#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

const Attributes kSamePads{{"pads", std::vector<int64_t>{1, 1, 1, 1}}};

TEST(FuseActivations, EveryActivationBecomesAnEpilogueOfTheConvolution) {
  const std::pair<const char*, Attributes> activations[] = {
      {"Relu", {}},
      {"LeakyRelu", {{"alpha", 0.1f}}},
      {"Sigmoid", {}},
      {"Silu", {}},
      {"HardSigmoid", {{"alpha", 0.3f}, {"beta", 0.4f}}},
      {"HardSwish", {}},
      {"Tanh", {}},
  };
  for (const auto& [op, attributes] : activations) {
    GraphBuilder b;
    Graph graph = b.build({b.node(op, {b.conv(b.input({1, 3, 5, 5}), 4)}, attributes)});
    // Vectorised exponentials differ from the library's by a few units in the last place.
    Graph after = expect_kept(graph, fuse_activations, 1, 1e-4);
    EXPECT_EQ(ops_of(after), std::vector<std::string>{"Conv"}) << op;
  }
}

TEST(FuseActivations, ClipTakesItsBoundsAlong) {
  GraphBuilder b;
  ValueId x = b.conv(b.input({1, 3, 5, 5}), 4);
  ValueId low = b.constant(Tensor::of<float>({}, {-0.5f}));
  Graph graph = b.build({b.node("Clip", {x, low, b.constant(Tensor::of<float>({}, {1.5f}))})});
  Graph after = expect_kept(graph, fuse_activations, 1);
  Epilogue epilogue = epilogue_of(after.nodes[0]);
  EXPECT_EQ(epilogue.kind, Activation::clip);
  EXPECT_EQ(epilogue.alpha, -0.5f);
  EXPECT_EQ(epilogue.beta, 1.5f);
}

TEST(FuseActivations, OtherProducersTakeThemToo) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 6, 6});
  ValueId norm = b.node("Relu", {b.batch_norm(x)});
  ValueId instance =
      b.node("Relu", {b.node("InstanceNormalization", {norm, b.weights({4}), b.weights({4})})});
  ValueId sum = b.node("Relu", {b.node("Add", {x, instance})});
  ValueId up = b.node("Relu", {b.node("ConvTranspose", {sum, b.weights({4, 2, 2, 2})})});
  ValueId flat = b.node("Flatten", {up});
  ValueId gemm =
      b.node("Sigmoid", {b.node("Gemm", {flat, b.weights({2 * 7 * 7, 3}, -0.1f, 0.1f)})});
  Graph graph = b.build({gemm});
  Graph after = expect_kept(graph, fuse_activations, 5, 1e-4);
  EXPECT_EQ(after.nodes.size(), 6u);
}

TEST(FuseActivations, OnlyOneFitsAndOnlyWhereNobodyElseReads) {
  GraphBuilder b;
  ValueId x = b.conv(b.input({1, 3, 5, 5}), 4);
  Graph chain = b.build({b.node("Tanh", {b.node("Relu", {x})})});
  Graph after = expect_kept(chain, fuse_activations, 1, 1e-4);
  EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Conv", "Tanh"}));
  expect_kept(after, fuse_activations, 0, 1e-4);

  GraphBuilder c;
  x = c.conv(c.input({1, 3, 5, 5}), 4);
  Graph shared = c.build({c.node("Relu", {x}), c.node("Tanh", {x})});
  expect_kept(shared, fuse_activations, 0);
}

TEST(FuseResiduals, TheSumGoesIntoTheConvolution) {
  for (bool bias : {true, false})
    for (bool conv_first : {true, false}) {
      GraphBuilder b;
      ValueId x = b.input({1, 4, 5, 5});
      ValueId y = b.conv(x, 4, kSamePads, bias);
      ValueId sum = b.node("Add", conv_first ? std::vector{y, x} : std::vector{x, y});
      Graph graph = b.build({b.node("Relu", {sum})});
      Graph after = expect_kept(graph, fuse_residuals, 1);
      EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Conv", "Relu"}));
      EXPECT_EQ(after.nodes[0].inputs.size(), 4u);
      EXPECT_EQ(after.nodes[0].inputs[2] == kNoValue, !bias);
      after = expect_kept(after, fuse_activations, 1);
      EXPECT_EQ(ops_of(after), std::vector<std::string>{"Conv"});
      expect_same_results(graph, after);
    }
}

TEST(FuseResiduals, AnActivationBetweenConvolutionAndSumKeepsThemApart) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 5, 5});
  ValueId y = b.node("Relu", {b.conv(x, 4, kSamePads)});
  Graph graph = b.build({b.node("Tanh", {b.node("Add", {x, y})})});
  Graph after = graph;
  ASSERT_TRUE(optimise(after));
  EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Conv", "Add"}));
  expect_same_results(graph, after, 1e-4);
  Graph again = after;
  ASSERT_TRUE(optimise(again));
  EXPECT_EQ(ops_of(again), ops_of(after));
  expect_same_results(graph, again, 1e-4);
}

TEST(FuseResiduals, OfTwoConvolutionsTheLaterOneAdds) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 5, 5});
  ValueId first = b.conv(x, 4, kSamePads);
  ValueId second = b.conv(b.node("Relu", {x}), 4, kSamePads);
  Graph graph = b.build({b.node("Add", {second, first})});
  Graph after = expect_kept(graph, fuse_residuals, 1);
  EXPECT_EQ(after.nodes.back().name, "Conv2");
  EXPECT_EQ(after.nodes.back().inputs.size(), 4u);
}

TEST(FuseResiduals, AnOperandMadeAfterTheConvolutionComesBeforeIt) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 5, 5});
  ValueId y = b.conv(x, 4, kSamePads);
  ValueId late = b.node("Tanh", {b.node("Relu", {x})});
  Graph graph = b.build({b.node("Add", {y, late})});
  Graph after = expect_kept(graph, fuse_residuals, 1);
  EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Relu", "Tanh", "Conv"}));
}

TEST(FuseResiduals, BroadcastsConstantsAndSharedConvolutionsStaySums) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 5, 5});
  ValueId y = b.conv(x, 4, kSamePads);
  ValueId z = b.conv(x, 4, kSamePads);
  ValueId twice = b.conv(x, 4, kSamePads);
  Graph graph = b.build({b.node("Add", {y, b.input({1, 4, 1, 1})}),
                         b.node("Add", {z, b.weights({1, 4, 5, 5})}),
                         b.node("Add", {twice, b.node("Relu", {twice})}), b.node("Add", {x, x})});
  expect_kept(graph, fuse_residuals, 0);
}

}  // namespace
}  // namespace vultus::test
