#include <gtest/gtest.h>

#include "gpu/builder.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

/// One node `op` from an input of that type and shape to an output of the same.
Graph node_of(const std::string& op, const Shape& shape, DType dtype = DType::f32) {
  Graph graph;
  graph.name = "small";
  graph.inputs = {graph.add_value("x", dtype, shape)};
  graph.outputs = {graph.add_value("y", dtype, shape)};
  graph.value(1).producer = 0;
  Node node;
  node.op = op;
  node.name = "node";
  node.inputs = {0};
  node.outputs = {1};
  graph.nodes.push_back(std::move(node));
  return graph;
}

std::string compile_error(Device& device, const Graph& graph,
                          Precision precision = Precision::fp32) {
  auto partition = device.compile(
      graph,
      {.nodes = {0}, .inputs = graph.inputs, .outputs = graph.outputs, .precision = precision});
  return partition ? "" : partition.error().what;
}

void add_mistake(const char* name, void (*build)(gpu::Builder&, const Node&)) {
  if (!gpu::find_gpu_op(name)) gpu::RegisterGpu({name, nullptr, build});
}

TEST(GpuSupport, AnOperatorWithoutAKernelSaysSo) {
  VULTUS_NEED_GPU(device);
  Graph graph = node_of("Frobnicate", {4});
  EXPECT_EQ(device.supports(graph, graph.nodes[0], Precision::fp32).reason,
            "Frobnicate: no GPU kernel");
  EXPECT_TRUE(test::contains(compile_error(device, graph), "no GPU kernel"));
}

TEST(GpuSupport, TypesThatTheGpuDoesNotHandleStayOnTheCpu) {
  VULTUS_NEED_GPU(device);
  for (DType dtype : {DType::f64, DType::u8, DType::i8, DType::f16}) {
    Graph graph = node_of("Identity", {4}, dtype);
    Support support = device.supports(graph, graph.nodes[0], Precision::fp32);
    EXPECT_FALSE(support.ok) << name_of(dtype);
    EXPECT_TRUE(test::contains(support.reason, std::string(name_of(dtype))));
  }
}

TEST(GpuSupport, ATensorLargerThanAKernelSeesStaysOnTheCpu) {
  VULTUS_NEED_GPU(device);
  Graph graph = node_of("Relu", {int64_t{1} << 33});
  Support support = device.supports(graph, graph.nodes[0], Precision::fp16);
  EXPECT_FALSE(support.ok);
  EXPECT_TRUE(test::contains(support.reason, "'x' takes 17179869184 bytes"));
  EXPECT_TRUE(test::contains(compile_error(device, graph), "tensor 'x' takes"));
}

TEST(GpuSupport, AReaderOfRowsCountedAtRunTimeStaysOnTheCpu) {
  VULTUS_NEED_GPU(device);
  Graph graph = node_of("Identity", {4, 3}, DType::i64);
  graph.value(0).dynamic_rows = true;
  EXPECT_FALSE(device.supports(graph, graph.nodes[0], Precision::fp32).ok);
}

TEST(GpuSupport, AConstantThatFp16CannotHoldStaysOnTheCpu) {
  VULTUS_NEED_GPU(device);
  Graph graph = node_of("Identity", {2});
  graph.inputs.clear();
  graph.value(0).constant = std::make_shared<Tensor>(Tensor::of<float>({2}, {1.0f, 1e9f}));
  Support support = device.supports(graph, graph.nodes[0], Precision::fp16);
  EXPECT_FALSE(support.ok);
  EXPECT_TRUE(test::contains(support.reason, "does not fit fp16"));
  EXPECT_TRUE(device.supports(graph, graph.nodes[0], Precision::fp32).ok);
  EXPECT_TRUE(test::contains(compile_error(device, graph, Precision::fp16), "--precision fp32"));
}

TEST(GpuSupport, AnInfiniteConstantIsKept) {
  VULTUS_NEED_GPU(device);
  Graph graph = node_of("Identity", {2});
  graph.inputs.clear();
  const float infinity = std::numeric_limits<float>::infinity();
  graph.value(0).constant = std::make_shared<Tensor>(Tensor::of<float>({2}, {-infinity, 65504.0f}));
  auto out = test::run_on(device, graph, {}, Precision::fp16);
  ASSERT_TRUE(out) << out.error().what;
  EXPECT_EQ((*out)[0].as<float>()[0], -infinity);
  EXPECT_EQ((*out)[0].as<float>()[1], 65504.0f);
}

TEST(GpuMistakes, AKernelThatForgetsItsOutputIsFound) {
  VULTUS_NEED_GPU(device);
  add_mistake("TestForgets", [](gpu::Builder&, const Node&) {});
  EXPECT_TRUE(test::contains(compile_error(device, node_of("TestForgets", {4})),
                             "TestForgets 'node': its kernel did not produce 'y'"));
}

TEST(GpuMistakes, AnAliasOfAnotherSizeIsFound) {
  VULTUS_NEED_GPU(device);
  add_mistake("TestAliases", [](gpu::Builder& b, const Node& node) {
    gpu::TensorRef x = b.input(node.inputs[0], gpu::Layout::linear);
    x.shape = {5};
    b.alias(node.outputs[0], x);
  });
  EXPECT_TRUE(
      test::contains(compile_error(device, node_of("TestAliases", {4})), "not the same bytes"));
}

TEST(GpuMistakes, ALayoutThatATensorCannotHaveIsFound) {
  VULTUS_NEED_GPU(device);
  add_mistake("TestLayout", [](gpu::Builder& b, const Node& node) {
    b.alias(node.outputs[0], b.input(node.inputs[0], gpu::Layout::nhwc8));
  });
  EXPECT_TRUE(test::contains(compile_error(device, node_of("TestLayout", {4})), "in that layout"));
  EXPECT_TRUE(test::contains(compile_error(device, node_of("TestLayout", {1, 2, 3, 4}, DType::i32)),
                             "in that layout"));
}

TEST(GpuMistakes, AnUnknownShaderIsFound) {
  VULTUS_NEED_GPU(device);
  add_mistake("TestShader", [](gpu::Builder& b, const Node& node) {
    gpu::TensorRef y = b.output(node.outputs[0], gpu::Layout::linear);
    b.dispatch({-1, "no_such_shader", {}, {}, {gpu::writes(y)}, {1, 1, 1}});
  });
  EXPECT_TRUE(
      test::contains(compile_error(device, node_of("TestShader", {4})), "'no_such_shader.fp32'"));
}

TEST(GpuMistakes, ReadingAnUnwrittenBufferIsFound) {
  VULTUS_NEED_GPU(device);
  add_mistake("TestReads", [](gpu::Builder& b, const Node& node) {
    gpu::TensorRef y = b.output(node.outputs[0], gpu::Layout::linear);
    gpu::TensorRef x{b.scratch(64), gpu::Layout::linear, DType::f32, {4}};
    struct {
      uint32_t groups = 1;
      float alpha = 0, beta = 0;
    } push;
    b.dispatch("unary", {0, 0}, push, {gpu::reads(x), gpu::writes(y)}, {1, 1, 1});
  });
  EXPECT_TRUE(
      test::contains(compile_error(device, node_of("TestReads", {4})), "nothing has written"));
}

}  // namespace
}  // namespace vultus
