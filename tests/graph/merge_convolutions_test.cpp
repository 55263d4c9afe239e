#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

ValueId pointwise(GraphBuilder& b, ValueId x, int64_t outputs, bool bias = true) {
  std::vector<ValueId> inputs{x, b.weights({outputs, b.shape(x)[1], 1, 1})};
  if (bias) inputs.push_back(b.weights({outputs}));
  return b.node("Conv", inputs);
}

ValueId head(GraphBuilder& b, ValueId conv, int64_t width) {
  ValueId y = b.node("Transpose", {conv}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
  return b.node("Reshape", {y, b.integers({b.shape(conv)[0], -1, width})});
}

TEST(MergeConvolutions, HeadsOfOneMapBecomeOneConvolution) {
  for (int64_t batch : {1, 2}) {
    GraphBuilder b;
    ValueId x = b.input({batch, 12, 5, 7});
    ValueId bias_free = pointwise(b, x, 20, false);
    Graph graph = b.build(
        {head(b, pointwise(b, x, 8), 4), head(b, pointwise(b, x, 4), 2), head(b, bias_free, 10)});
    Graph after = expect_kept(graph, merge_convolutions, 1);
    EXPECT_EQ(count(after, "Conv"), 1);
    EXPECT_EQ(count(after, "Slice"), 3);
    expect_kept(after, merge_convolutions, 0);
  }
}

TEST(MergeConvolutions, ActivationsGoAlongWhenTheyAreEqual) {
  GraphBuilder b;
  ValueId x = b.input({1, 12, 5, 7});
  ValueId one = b.node("Sigmoid", {pointwise(b, x, 8)});
  ValueId two = b.node("Sigmoid", {pointwise(b, x, 4)});
  ValueId three = b.node("LeakyRelu", {pointwise(b, x, 4)}, {{"alpha", 0.1f}});
  ValueId four = b.node("LeakyRelu", {pointwise(b, x, 4)}, {{"alpha", 0.2f}});
  Graph graph = b.build({head(b, one, 4), head(b, two, 2), head(b, three, 2), head(b, four, 2)});
  ASSERT_TRUE(fuse_activations(graph));
  Graph after = expect_kept(graph, merge_convolutions, 1, 1e-4);
  EXPECT_EQ(count(after, "Conv"), 3);
}

TEST(MergeConvolutions, OtherInputsWindowsAndReadersKeepHeadsApart) {
  GraphBuilder b;
  ValueId x = b.input({1, 12, 5, 5}), other = b.input({1, 12, 5, 5});
  ValueId strided =
      b.node("Conv", {x, b.weights({8, 12, 1, 1})}, {{"strides", std::vector<int64_t>{2, 2}}});
  ValueId grouped = b.node("Conv", {x, b.weights({8, 6, 1, 1})}, {{"group", int64_t{2}}});
  ValueId added = b.node("Conv", {x, b.weights({12, 12, 1, 1}), kNoValue, other});
  ValueId read = pointwise(b, x, 8), named = pointwise(b, x, 8);
  ValueId computed = b.node("Conv", {x, b.input({8, 12, 1, 1})});
  std::vector<ValueId> outputs{b.node("Neg", {read}), named};
  for (ValueId v : {pointwise(b, x, 8), pointwise(b, other, 8), b.conv(x, 8), strided, grouped,
                    added, read, named, computed})
    outputs.push_back(head(b, v, 2));
  Graph graph = b.build(outputs);
  expect_kept(graph, merge_convolutions, 0);
}

/// y + conv(sigmoid(conv(x))) + conv(sigmoid(conv(x))), fused.
Graph branches(GraphBuilder& b, bool residual, const std::string& last = "") {
  ValueId x = b.input({2, 12, 5, 6});
  ValueId left = b.node("Sigmoid", {pointwise(b, x, 11)});
  ValueId right = b.node("Sigmoid", {pointwise(b, x, 3, false)});
  ValueId sum = pointwise(b, left, 10);
  if (residual) sum = b.node("Add", {b.input({2, 10, 5, 6}), sum});
  sum = b.node("Add", {sum, pointwise(b, right, 10, residual)});
  if (!last.empty()) sum = b.node(last, {sum});
  Graph graph = b.build({sum});
  EXPECT_TRUE(fuse_residuals(graph));
  EXPECT_TRUE(fuse_activations(graph));
  return graph;
}

TEST(MergeConvolutions, AddedBranchesOfOneMapBecomeOne) {
  for (bool residual : {true, false})
    for (const char* last : {"", "Relu"}) {
      GraphBuilder b;
      Graph graph = branches(b, residual, last);
      ASSERT_EQ(ops_of(graph), (std::vector<std::string>(4, "Conv")));
      Graph after = expect_kept(graph, merge_convolutions, 1, 1e-4);
      EXPECT_EQ(ops_of(after), (std::vector<std::string>(2, "Conv")));
      EXPECT_EQ(after.nodes[1].inputs.size(), residual ? 4u : 3u);
    }
}

TEST(MergeConvolutions, BranchesThatOthersReadStay) {
  GraphBuilder b;
  ValueId x = b.input({1, 12, 5, 6});
  auto branch = [&](int64_t channels) { return b.node("Relu", {pointwise(b, x, channels)}); };
  std::vector<ValueId> outputs;
  ValueId shared = branch(8);
  outputs.push_back(b.node("Neg", {shared}));
  outputs.push_back(b.node("Add", {pointwise(b, shared, 10), pointwise(b, branch(8), 10)}));
  ValueId named = pointwise(b, branch(8), 10);
  outputs.push_back(named);
  outputs.push_back(b.node("Add", {named, pointwise(b, branch(8), 10)}));
  ValueId active = b.node("Relu", {pointwise(b, branch(8), 10)});
  outputs.push_back(b.node("Add", {active, pointwise(b, branch(8), 10)}));
  ValueId wide = b.conv(branch(8), 10, {{"pads", std::vector<int64_t>{1, 1, 1, 1}}});
  outputs.push_back(b.node("Add", {wide, pointwise(b, branch(8), 10)}));
  ValueId other = b.node("Relu", {pointwise(b, b.input({1, 12, 5, 6}), 8)});
  outputs.push_back(b.node("Add", {pointwise(b, other, 10), pointwise(b, branch(8), 10)}));
  ValueId same = branch(8);
  outputs.push_back(b.node("Add", {pointwise(b, same, 10), pointwise(b, same, 10)}));
  Graph graph = b.build(outputs);
  ASSERT_TRUE(fuse_residuals(graph));
  ASSERT_TRUE(fuse_activations(graph));
  expect_kept(graph, merge_convolutions, 0);
}

TEST(MergeConvolutions, ASiblingThatIsAlsoAddedKeepsItsBranch) {
  GraphBuilder b;
  ValueId x = b.input({1, 8, 4, 4});
  ValueId left = b.node("Relu", {pointwise(b, x, 8)}), right = b.node("Relu", {pointwise(b, x, 8)});
  ValueId other = b.node("Add", {pointwise(b, left, 8), left});
  Graph graph = b.build({b.node("Add", {pointwise(b, right, 8), other})});
  ASSERT_TRUE(fuse_residuals(graph));
  ASSERT_TRUE(fuse_activations(graph));
  expect_kept(graph, merge_convolutions, 0, 1e-4);
}

}  // namespace
}  // namespace vultus::test
