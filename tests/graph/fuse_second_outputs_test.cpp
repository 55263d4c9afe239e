#include "host/graph/fused.hpp"
#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

const Attributes kSamePads{{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
const Attributes kHalves{{"kernel_shape", std::vector<int64_t>{2, 2}},
                         {"strides", std::vector<int64_t>{2, 2}}};

TEST(FuseSecondOutputs, APreActivationBlockBecomesItsConvolutions) {
  for (int64_t batch : {1, 3}) {
    GraphBuilder b;
    ValueId x = b.conv(b.input({batch, 3, 7, 9}), 5, kSamePads);
    ValueId inner = b.conv(b.node("Relu", {b.batch_norm(x)}), 5, kSamePads);
    ValueId sum = b.node("Add", {inner, x});
    ValueId last = b.conv(b.node("Relu", {b.batch_norm(sum)}), 4);
    Graph graph = b.build({last, sum});
    Graph after = graph;
    ASSERT_TRUE(optimise(after));
    EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Conv", "Conv", "Conv"}));
    EXPECT_EQ(second_output_of(after.nodes[0]).epilogue.kind, Activation::relu);
    EXPECT_EQ(after.nodes[1].outputs.size(), 2u);
    expect_same_results(graph, after);
    Graph again = after;
    ASSERT_TRUE(optimise(again));
    EXPECT_EQ(ops_of(again), ops_of(after));
    expect_same_results(graph, again);
  }
}

TEST(FuseSecondOutputs, PoolsGiveThemToo) {
  for (const char* op : {"MaxPool", "AveragePool"}) {
    GraphBuilder b;
    ValueId x = b.node(op, {b.input({2, 5, 8, 6})}, kHalves);
    Graph graph = b.build({b.node("Tanh", {x}), b.batch_norm(x)});
    Graph after = expect_kept(graph, fuse_second_outputs, 1);
    EXPECT_EQ(ops_of(after), (std::vector<std::string>{op, "Tanh"}));
  }
}

TEST(FuseSecondOutputs, EveryActivationFollows) {
  for (const char* op : {"Sigmoid", "LeakyRelu", "HardSwish"}) {
    GraphBuilder b;
    ValueId x = b.conv(b.input({1, 3, 5, 5}), 4);
    Graph graph = b.build({x, b.node(op, {b.batch_norm(x)})});
    Graph active = expect_kept(graph, fuse_activations, 1, 1e-4);
    Graph after = expect_kept(active, fuse_second_outputs, 1, 1e-4);
    EXPECT_EQ(ops_of(after), std::vector<std::string>{"Conv"}) << op;
  }
}

TEST(FuseSecondOutputs, TheOnlyReaderToo) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 6, 6});
  ValueId sum = b.node("Add", {b.conv(x, 4, kSamePads), x});
  Graph graph = b.build({b.batch_norm(sum)});
  Graph residual = expect_kept(graph, fuse_residuals, 1);
  Graph after = expect_kept(residual, fuse_second_outputs, 1);
  EXPECT_EQ(ops_of(after), std::vector<std::string>{"Conv"});
  EXPECT_EQ(after.outputs[0], after.nodes[0].outputs[1]);
}

TEST(FuseSecondOutputs, OfSeveralOneIsTaken) {
  GraphBuilder b;
  ValueId x = b.conv(b.input({1, 3, 5, 5}), 4);
  Graph graph = b.build({b.batch_norm(x), b.batch_norm(x)});
  Graph after = expect_kept(graph, fuse_second_outputs, 1);
  EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Conv", "BatchNormalization"}));
  expect_kept(after, fuse_second_outputs, 0);
}

TEST(FuseSecondOutputs, OtherProducersAndStatisticsOfRunTimeStay) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 5, 5}), mean = b.input({4});
  ValueId conv = b.conv(x, 4);
  Graph graph = b.build({
      b.batch_norm(x),
      b.batch_norm(b.node("Relu", {x})),
      conv,
      b.node("BatchNormalization",
             {conv, b.weights({4}), b.weights({4}), mean, b.weights({4}, 0.5f, 2)}),
  });
  expect_kept(graph, fuse_second_outputs, 0);
}

TEST(Optimise, SaysHowManyPlacesEachPassChanged) {
  GraphBuilder b;
  ValueId x = b.conv(b.input({1, 3, 6, 6}), 4, kSamePads);
  ValueId y = b.conv(b.node("Relu", {b.batch_norm(x)}), 4, kSamePads);
  Graph graph = b.build({b.node("Add", {y, x})});
  auto report = optimise(graph);
  ASSERT_TRUE(report);
  std::vector<std::pair<std::string, int>> counts;
  for (const PassCount& count : *report)
    counts.emplace_back(count.what, count.places);
  EXPECT_EQ(counts, (std::vector<std::pair<std::string, int>>{
                        {"residual additions", 1}, {"activations", 1}, {"second outputs", 1}}));
}

}  // namespace
}  // namespace vultus::test
