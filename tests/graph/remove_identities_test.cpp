#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

TEST(RemoveIdentities, NodesThatChangeNothingGo) {
  GraphBuilder b;
  ValueId x = b.node("Relu", {b.input({1, 2, 3, 4})});
  ValueId y = b.node("Identity", {x});
  y = b.node("Cast", {y}, {{"to", int64_t{1}}});
  y = b.node("Reshape", {y, b.integers({1, 2, 3, 4})});
  y = b.node("Transpose", {y}, {{"perm", std::vector<int64_t>{0, 1, 2, 3}}});
  y = b.node("Concat", {y}, {{"axis", int64_t{1}}});
  y = b.node("Pad", {y, b.integers(std::vector<int64_t>(8, 0))});
  y = b.node("Slice", {y, b.integers({0}), b.integers({99}), b.integers({3})});
  y = b.node("Expand", {y, b.integers({3, 4})});
  y = b.node("Tile", {y, b.integers({1, 1, 1, 1})});
  y = b.node("Mul", {y, b.constant(Tensor::of<float>({1}, {1}))});
  y = b.node("Add", {b.constant(Tensor::of<float>({1}, {0})), y});
  Graph graph = b.build({b.node("Tanh", {y})});
  Graph after = expect_kept(graph, remove_identities, 11);
  EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Relu", "Tanh"}));
}

TEST(RemoveIdentities, NodesThatChangeSomethingStay) {
  GraphBuilder b;
  ValueId x = b.node("Relu", {b.input({1, 2, 3, 3})});
  std::vector<ValueId> outputs{
      b.node("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 1, 3, 2}}}),
      b.node("Slice", {x, b.integers({-1}), b.integers({-99}), b.integers({3}), b.integers({-1})}),
      b.node("Pad", {x, b.integers({0, 0, 0, 1, 0, 0, 0, -1})}),
      b.node("Sub", {b.constant(Tensor::of<float>({1}, {0})), x}),
      b.node("Div", {b.constant(Tensor::of<float>({1}, {1})), x}),
      b.node("Add", {x, b.constant(Tensor(DType::f32, {2, 1, 2, 1, 1}))}),
  };
  std::vector<ValueId> read;
  for (ValueId v : outputs)
    read.push_back(b.node("Tanh", {v}));
  Graph graph = b.build(read);
  auto removed = remove_identities(graph);
  ASSERT_TRUE(removed);
  EXPECT_EQ(*removed, 0);
}

TEST(RemoveIdentities, AnOutputKeepsItsName) {
  GraphBuilder b;
  ValueId x = b.node("Relu", {b.input({2})});
  Graph graph = b.build({b.node("Identity", {x})});
  Graph after = expect_kept(graph, remove_identities, 1);
  EXPECT_EQ(ops_of(after), std::vector<std::string>{"Relu"});
  EXPECT_EQ(after.value(after.outputs[0]).name, "Identity1.out");
}

TEST(RemoveIdentities, TwoOutputsNeverBecomeOne) {
  GraphBuilder b;
  ValueId in = b.input({2});
  ValueId x = b.node("Relu", {in});
  Graph graph = b.build({x, b.node("Identity", {x}), b.node("Identity", {in})});
  expect_kept(graph, remove_identities, 0);
}

TEST(RemoveIdentities, AChainOfReshapesBecomesOne) {
  GraphBuilder b;
  ValueId x = b.node("Reshape", {b.input({2, 3, 4}), b.integers({6, 4})});
  x = b.node("Reshape", {x, b.integers({0, 2, -1})});
  x = b.node("Reshape", {x, b.integers({-1})});
  Graph graph = b.build({b.node("Relu", {x})});
  Graph after = expect_kept(graph, remove_identities, 2);
  EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Reshape", "Relu"}));
}

TEST(RemoveIdentities, ExpandBeforeABroadcastGoes) {
  GraphBuilder b;
  ValueId x = b.input({2, 8, 5});
  ValueId norm = b.node("Relu", {b.input({2, 8, 1})});
  ValueId wide = b.node("Expand", {norm, b.integers({2, 8, 5})});
  ValueId needed = b.node("Expand", {b.input({1}), b.integers({3})});
  Graph graph = b.build({b.node("Sub", {x, wide}), b.node("Add", {needed, b.input({1})})});
  Graph after = expect_kept(graph, remove_identities, 1);
  EXPECT_EQ(count(after, "Expand"), 1);
}

}  // namespace
}  // namespace vultus::test
