#include "host/graph/fused.hpp"
#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

const Attributes kChannels{{"axis", int64_t{1}}};

Attributes window(int64_t stride, int64_t dilation) {
  return {{"pads", std::vector<int64_t>{1, 2, 1, 0}},
          {"strides", std::vector<int64_t>{stride, stride}},
          {"dilations", std::vector<int64_t>{dilation, dilation}}};
}

TEST(FuseConstantChannels, WhatTheyComeToIsAddedWhereverTheyStand) {
  for (int64_t stride : {1, 2, 3})
    for (int64_t dilation : {1, 2})
      for (int where : {0, 1, 2}) {
        GraphBuilder b;
        ValueId x = b.input({1, 5, 9, 8});
        std::vector<ValueId> parts{x};
        if (where != 0) parts.insert(parts.begin(), b.weights({1, 1, 9, 8}));
        if (where != 1) parts.push_back(b.weights({1, 2, 9, 8}));
        ValueId y = b.conv(b.node("Concat", parts, kChannels), 4, window(stride, dilation));
        Graph graph = b.build({b.node("Relu", {y})});
        Graph after = expect_kept(graph, fuse_constant_channels, 1);
        EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Conv", "Relu"}));
        const Node& conv = after.nodes[0];
        EXPECT_EQ(after.shape(conv.inputs[1]), (Shape{4, 5, 3, 3}));
        EXPECT_EQ(after.shape(conv.input(3)), after.shape(conv.outputs[0]));
        EXPECT_NE(after.constant(conv.input(3)), nullptr);
        expect_same_results(graph, expect_kept(after, fuse_activations, 1));
      }
}

TEST(FuseConstantChannels, NothingIsDoneAboutNoImages) {
  GraphBuilder b;
  ValueId x = b.input({0, 3, 8, 8});
  ValueId all = b.node("Concat", {x, b.constant(Tensor(DType::f32, {0, 2, 8, 8}))}, kChannels);
  expect_kept(b.build({b.conv(all, 4, window(1, 1))}), fuse_constant_channels, 0);
}

TEST(FuseConstantChannels, TheMapIsAddedBeforeTheActivationBesideAResidual) {
  GraphBuilder b;
  ValueId x = b.input({1, 6, 8, 8});
  ValueId all = b.node("Concat", {x, b.weights({1, 3, 8, 8})}, {{"axis", int64_t{-3}}});
  ValueId y = b.conv(all, 6, {{"pads", std::vector<int64_t>{1, 1, 1, 1}}});
  ValueId sum = b.node("LeakyRelu", {b.node("Add", {y, x})});
  Graph graph = b.build({sum, b.batch_norm(sum)});
  Graph after = graph;
  ASSERT_TRUE(optimise(after));
  EXPECT_EQ(ops_of(after), std::vector<std::string>{"Conv"});
  EXPECT_EQ(after.nodes[0].input(3), after.inputs[0]);
  EXPECT_NE(after.constant(after.nodes[0].input(4)), nullptr);
  EXPECT_FALSE(adds_last(after.nodes[0]));
  expect_same_results(graph, after);
  Graph again = after;
  ASSERT_TRUE(optimise(again));
  EXPECT_EQ(ops_of(again), ops_of(after));
  expect_same_results(graph, again);
}

TEST(FuseConstantChannels, WhatIsAddedAfterTheActivationStaysBehindIt) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 8, 8});
  ValueId all = b.node("Concat", {x, b.weights({1, 2, 8, 8})}, kChannels);
  ValueId y = b.conv(all, 4, {{"pads", std::vector<int64_t>{1, 1, 1, 1}}});
  Graph graph = b.build({b.node("Add", {b.node("Relu", {y}), x})});
  Graph after = graph;
  ASSERT_TRUE(optimise(after));
  EXPECT_EQ(ops_of(after), std::vector<std::string>{"Conv"});
  EXPECT_TRUE(adds_last(after.nodes[0]));
  EXPECT_NE(after.constant(after.nodes[0].input(3)), nullptr);
  expect_same_results(graph, after);
}

TEST(FuseConstantChannels, ImagesOfABatchShareTheMap) {
  for (bool same : {true, false}) {
    GraphBuilder b;
    Tensor images = random_tensor({2, 2, 8, 8}, 1);
    if (same)
      std::copy_n(images.bytes(), images.size_bytes() / 2,
                  images.bytes() + images.size_bytes() / 2);
    ValueId all =
        b.node("Concat", {b.input({2, 4, 8, 8}), b.constant(std::move(images))}, kChannels);
    Graph after = expect_kept(b.build({b.conv(all, 3)}), fuse_constant_channels, same ? 1 : 0);
    if (same) {
      EXPECT_EQ(after.shape(after.nodes[0].input(4)), (Shape{1, 3, 6, 6}));
    }
  }
}

TEST(FuseConstantChannels, WhereItSavesNothingTheyStay) {
  auto coordinates = [](GraphBuilder& b) { return b.weights({1, 2, 8, 8}); };
  auto expect_stays = [](GraphBuilder& b, const std::vector<ValueId>& outputs) {
    expect_kept(b.build(outputs), fuse_constant_channels, 0);
  };
  {
    SCOPED_TRACE("two computed parts: the concatenation would stay");
    GraphBuilder b;
    expect_stays(
        b, {b.conv(b.node("Concat", {b.input({1, 4, 8, 8}), coordinates(b), b.input({1, 1, 8, 8})},
                          kChannels),
                   4)});
  }
  {
    SCOPED_TRACE("another reader of the concatenation");
    GraphBuilder b;
    ValueId all = b.node("Concat", {b.input({1, 4, 8, 8}), coordinates(b)}, kChannels);
    expect_stays(b, {b.conv(all, 4), b.node("Relu", {all})});
  }
  {
    SCOPED_TRACE("groups");
    GraphBuilder b;
    ValueId all = b.node("Concat", {b.input({1, 4, 8, 8}), coordinates(b)}, kChannels);
    expect_stays(b, {b.conv(all, 4, {{"group", int64_t{2}}})});
  }
  {
    SCOPED_TRACE("rows side by side");
    GraphBuilder b;
    ValueId all =
        b.node("Concat", {b.input({1, 4, 8, 8}), b.weights({1, 4, 2, 8})}, {{"axis", int64_t{2}}});
    expect_stays(b, {b.conv(all, 4)});
  }
  {
    SCOPED_TRACE("a map larger than what goes: x is written in its place anyway");
    GraphBuilder b;
    ValueId x = b.conv(b.input({1, 4, 10, 10}), 8);
    ValueId all = b.node("Concat", {x, b.weights({1, 1, 8, 8})}, kChannels);
    expect_stays(b, {b.node("Conv", {all, b.weights({64, 9, 1, 1})})});
  }
}

}  // namespace
}  // namespace vultus::test
