#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/gpu.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

/// A chain of nodes with one input each, without shape inference: every value has the same shape.
Graph chain(const std::vector<std::string>& ops, const Shape& shape, DType dtype = DType::f32) {
  Graph graph;
  graph.name = "chain";
  ValueId last = graph.add_value("x", dtype, shape);
  graph.inputs = {last};
  for (const std::string& op : ops) {
    Node node;
    node.op = op;
    node.name = fmt::format("node{}", graph.nodes.size());
    node.inputs = {last};
    last = graph.add_value(fmt::format("y{}", graph.nodes.size()), dtype, shape);
    graph.value(last).producer = static_cast<NodeId>(graph.nodes.size());
    node.outputs = {last};
    graph.nodes.push_back(std::move(node));
  }
  graph.outputs = {last};
  return graph;
}

TEST(GpuPartition, AFloatTensorComesBackThroughTheKernelInBothPrecisions) {
  VULTUS_NEED_GPU(device);
  Graph graph = chain({"Relu"}, {1, 3, 5, 7});
  Tensor x = test::random_tensor({1, 3, 5, 7}, 1);
  for (Precision precision : {Precision::fp32, Precision::fp16}) {
    auto out = test::run_on(device, graph, {&x}, precision);
    ASSERT_TRUE(out) << out.error().what;
    for (size_t i = 0; i < x.as<float>().size(); ++i)
      // fp16 rounds to 11 bits.
      EXPECT_NEAR((*out)[0].as<float>()[i], std::max(x.as<float>()[i], 0.0f),
                  precision == Precision::fp32 ? 0 : 5e-4);
  }
}

}  // namespace
}  // namespace vultus
