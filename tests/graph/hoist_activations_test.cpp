#include "tests/graph/graph_builder.hpp"

namespace vultus::test {
namespace {

const Attributes kSamePads{{"pads", std::vector<int64_t>{1, 1, 1, 1}}};

ValueId concat(GraphBuilder& b, const std::vector<ValueId>& parts) {
  return b.node("Concat", parts, {{"axis", int64_t{1}}});
}

TEST(HoistActivations, TheProducersActivateBeforeTheyArePutTogether) {
  for (const char* op : {"Relu", "Sigmoid", "HardSwish", "Tanh"}) {
    GraphBuilder b;
    ValueId x = b.input({1, 4, 5, 5});
    ValueId sum = b.node("Add", {x, b.node("Neg", {x})});
    Graph graph = b.build({b.node(op, {concat(b, {b.conv(x, 8, kSamePads), b.conv(x, 3, kSamePads),
                                                  b.batch_norm(x), sum})})});
    // Vectorised exponentials differ from the library's by a few units in the last place.
    Graph after = expect_kept(graph, hoist_activations, 1, 1e-4);
    EXPECT_EQ(count(after, op), 0);
    EXPECT_EQ(after.nodes.back().op, "Concat");
  }
}

TEST(HoistActivations, ALeakySlopeGoesToEveryProducer) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 5, 5});
  ValueId y = b.conv(x, 8, kSamePads);
  ValueId all = concat(b, {y, b.conv(x, 8, kSamePads), y});
  Graph graph = b.build({b.node("LeakyRelu", {all}, {{"alpha", 0.3f}})});
  Graph after = expect_kept(graph, hoist_activations, 1);
  EXPECT_EQ(ops_of(after), (std::vector<std::string>{"Conv", "Conv", "Concat"}));
  for (const Node* conv : {&after.nodes[0], &after.nodes[1]})
    EXPECT_EQ(epilogue_of(*conv).alpha, 0.3f);
}

TEST(HoistActivations, WhatOthersReadOrHasNoEpilogueStays) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 5, 5});
  ValueId shared = b.conv(x, 8, kSamePads);
  ValueId active = b.conv(x, 8, kSamePads);
  std::vector<ValueId> outputs{b.node("Neg", {shared})};
  auto relu = [&](const std::vector<ValueId>& parts) {
    outputs.push_back(b.node("Relu", {concat(b, parts)}));
  };
  relu({shared, b.conv(x, 8, kSamePads)});
  relu({b.conv(x, 8, kSamePads), x});
  relu({b.conv(x, 8, kSamePads), b.node("Relu", {active})});
  relu({b.conv(x, 8, kSamePads), b.weights({1, 2, 5, 5})});
  ValueId both = concat(b, {b.conv(x, 8, kSamePads), b.conv(x, 8, kSamePads)});
  outputs.push_back(b.node("Relu", {both}));
  outputs.push_back(b.node("Neg", {both}));
  ValueId named = b.conv(x, 8, kSamePads);
  outputs.push_back(named);
  relu({named, b.conv(x, 8, kSamePads)});
  Graph graph = b.build(outputs);
  expect_kept(graph, hoist_activations, 0);
}

TEST(HoistActivations, AnActivatedProducerIsLeftAlone) {
  GraphBuilder b;
  ValueId x = b.input({1, 4, 5, 5});
  ValueId leaky = b.node("LeakyRelu", {b.conv(x, 8, kSamePads)}, {{"alpha", 0.1f}});
  Graph graph = b.build({b.node("Relu", {concat(b, {leaky, b.conv(x, 8, kSamePads)})})});
  Graph fused = expect_kept(graph, fuse_activations, 1);
  expect_kept(fused, hoist_activations, 0);
}

}  // namespace
}  // namespace vultus::test
