#include <gtest/gtest.h>

#include "tests/graph/graph_builder.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

using test::GraphBuilder;

const test::Attributes kSamePads{{"pads", std::vector<int64_t>{1, 1, 1, 1}}};

ValueId concat(GraphBuilder& b, const std::vector<ValueId>& parts) {
  return b.node("Concat", parts, {{"axis", int64_t{1}}});
}

/// Compares with the CPU in both precisions; `dispatches` are those of fp16.
void expect_same(Device& device, const Graph& graph, int64_t dispatches) {
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu) << cpu.error().what;
  std::vector<Tensor> data;
  std::vector<const Tensor*> inputs;
  for (ValueId v : graph.inputs)
    data.push_back(test::random_halves(graph.shape(v), static_cast<uint32_t>(3 + v)));
  for (const Tensor& t : data)
    inputs.push_back(&t);
  auto expected = test::run_on(**cpu, graph, inputs);
  ASSERT_TRUE(expected) << expected.error().what;
  for (Precision precision : {Precision::fp32, Precision::fp16}) {
    PartitionSpec spec{
        .nodes = {}, .inputs = graph.inputs, .outputs = graph.outputs, .precision = precision};
    for (size_t n = 0; n < graph.nodes.size(); ++n)
      spec.nodes.push_back(static_cast<NodeId>(n));
    auto partition = device.compile(graph, spec);
    ASSERT_TRUE(partition) << partition.error().what;
    if (precision == Precision::fp16) {
      EXPECT_EQ((*partition)->stats().dispatches, dispatches);
    }
    auto got = test::run_on(device, graph, inputs, precision);
    ASSERT_TRUE(got) << got.error().what;
    // Weights are rounded to halves too.
    double bound = precision == Precision::fp32 ? 1e-5 : 2e-3;
    for (size_t i = 0; i < expected->size(); ++i)
      EXPECT_LE(test::relative_l2((*got)[i].as<float>(), (*expected)[i].as<float>()), bound)
          << "output " << i << " in " << name_of(precision);
  }
}

TEST(GpuPlaced, ConvolutionsWriteIntoTheConcat) {
  VULTUS_NEED_GPU(device);
  for (int64_t batch : {1, 3}) {
    GraphBuilder b;
    ValueId x = b.input({batch, 8, 9, 7});
    ValueId depthwise =
        b.conv(x, 8, {{"pads", std::vector<int64_t>{1, 1, 1, 1}}, {"group", int64_t{8}}});
    ValueId all = concat(b, {b.conv(x, 16, kSamePads), depthwise, b.conv(x, 21, kSamePads)});
    expect_same(device, b.build({b.conv(all, 5)}), 1 + 3 + 1 + 1);
  }
}

TEST(GpuPlaced, OtherPartsAreCopiedBesideThem) {
  VULTUS_NEED_GPU(device);
  GraphBuilder b;
  ValueId x = b.input({1, 8, 6, 6});
  ValueId y = b.node("Relu", {x});
  ValueId all = concat(b, {b.conv(x, 24, kSamePads), b.weights({1, 1, 6, 6}), y,
                           b.weights({1, 2, 6, 6}), b.conv(x, 3, kSamePads)});
  expect_same(device, b.build({b.conv(all, 5)}), 1 + 3 + 1 + 1 + 1);
}

TEST(GpuPlaced, WhatOthersReadOrBeginsWithinAGroupIsCopied) {
  VULTUS_NEED_GPU(device);
  GraphBuilder b;
  ValueId x = b.input({1, 8, 6, 6});
  ValueId shared = b.conv(x, 8, kSamePads), named = b.conv(x, 8, kSamePads);
  ValueId odd = b.conv(x, 5, kSamePads), after = b.conv(x, 8, kSamePads);
  ValueId twice = b.conv(x, 8, kSamePads);
  ValueId one = concat(b, {shared, named}), two = concat(b, {odd, after});
  ValueId three = concat(b, {twice, twice}), four = concat(b, {b.conv(x, 8, kSamePads), x});
  Graph graph = b.build({b.conv(one, 5), b.conv(two, 5), b.conv(three, 5), b.node("Neg", {shared}),
                         named, four, b.node("Neg", {four})});
  // One upload, 6 + 3 convolutions, 3 whole copies, one beside, 2 Neg, 7 results.
  expect_same(device, graph, 1 + 6 + 3 + 3 + 1 + 2 + 7);
}

TEST(GpuPlaced, AResultThatOnlyTheHostReadsIsWrittenForIt) {
  VULTUS_NEED_GPU(device);
  GraphBuilder b;
  ValueId x = b.input({1, 8, 6, 6});
  expect_same(device, b.build({concat(b, {b.conv(x, 8, kSamePads), b.conv(x, 16, kSamePads)})}),
              1 + 2 + 1);
}

}  // namespace
}  // namespace vultus
