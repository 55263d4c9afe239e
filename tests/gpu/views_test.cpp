#include <gtest/gtest.h>

#include <random>

#include "gpu/view.hpp"
#include "tests/graph/graph_builder.hpp"
#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

using gpu::View;

/// Positions in the buffer, in the order of the view's elements.
std::vector<int64_t> positions(const View& view) {
  std::vector<int64_t> at{view.offset};
  for (const auto& axis : view.axes)
    for (const View::Run& run : axis) {
      std::vector<int64_t> next;
      for (int64_t from : at)
        for (int64_t i = 0; i < run.size; ++i)
          next.push_back(from + i * run.stride);
      at = std::move(next);
    }
  return at;
}

View dense(const Shape& shape, gpu::Layout layout) {
  return gpu::view_of({.buffer = 0, .layout = layout, .shape = shape});
}

TEST(Views, AReshapeKeepsTheOrderOfElements) {
  View heads = gpu::transposed(dense({2, 6, 3, 5}, gpu::Layout::nhwc8), {0, 2, 3, 1});
  for (const Shape& shape : {Shape{2, 15, 6}, Shape{2, 45, 2}, Shape{2, 90, 1}, Shape{5, 6, 2, 3},
                             Shape{1, 30, 1, 6, 1}, Shape{30, 3, 2}}) {
    auto reshaped = gpu::reshaped(heads, shape);
    ASSERT_TRUE(reshaped) << shape.str();
    EXPECT_EQ(positions(*reshaped), positions(heads)) << shape.str();
    EXPECT_EQ(reshaped->shape, shape);
  }
}

TEST(Views, AnAxisThatBeginsWithinARunIsRefused) {
  View heads = gpu::transposed(dense({1, 6, 3, 5}, gpu::Layout::nhwc8), {0, 2, 3, 1});
  EXPECT_FALSE(gpu::reshaped(heads, {1, 10, 9})) << "9 is a row and a half of 6 channels";
  EXPECT_FALSE(gpu::reshaped(heads, {18, 5}));
  View thin = dense({1, 1, 2, 2}, gpu::Layout::nhwc8);
  EXPECT_TRUE(gpu::reshaped(thin, {2, 2, 1, 1, 1, 1, 1}));
  View many = gpu::transposed(dense({2, 2, 2, 2}, gpu::Layout::linear), {3, 2, 1, 0});
  EXPECT_TRUE(gpu::reshaped(many, {16}));
}

TEST(Views, SlicesStepAndRunBackwards) {
  View x = dense({2, 20, 4, 6}, gpu::Layout::nhwc8);
  auto cut = gpu::sliced(x, {1, 3, 3, 1}, {1, 5, -1, 2}, {1, 4, 2, 3});
  ASSERT_TRUE(cut);
  std::vector<int64_t> expected;
  for (int64_t c : {3, 8, 13, 18})
    for (int64_t h : {3, 2})
      for (int64_t w : {1, 3, 5})
        expected.push_back(((4 + h) * 6 + w) * 24 + c);
  EXPECT_EQ(positions(*cut), expected);
  auto merged = gpu::reshaped(gpu::transposed(x, {0, 2, 3, 1}), {2, 4, 120});
  ASSERT_TRUE(merged);
  EXPECT_FALSE(gpu::sliced(*merged, {0, 0, 1}, {1, 1, 1}, {2, 4, 100})) << "two runs";
  EXPECT_TRUE(gpu::sliced(*merged, {1, 0, 0}, {1, 1, 1}, {1, 4, 120}));
}

/// The graph on the GPU in both precisions against the plain kernels; data moves, so it is exact.
void expect_moved(Device& device, const Graph& graph, int64_t dispatches = -1) {
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu) << cpu.error().what;
  std::vector<Tensor> data;
  std::vector<const Tensor*> inputs;
  for (ValueId v : graph.inputs)
    data.push_back(test::random_halves(graph.shape(v), static_cast<uint32_t>(7 + v)));
  for (const Tensor& t : data)
    inputs.push_back(&t);
  auto expected = test::run_on(**cpu, graph, inputs);
  ASSERT_TRUE(expected) << expected.error().what;
  for (Precision precision : {Precision::fp32, Precision::fp16}) {
    auto got = test::run_on(device, graph, inputs, precision);
    ASSERT_TRUE(got) << got.error().what;
    for (size_t i = 0; i < expected->size(); ++i) {
      auto a = (*got)[i].as<float>(), b = (*expected)[i].as<float>();
      EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()))
          << "output " << i << " of " << (*expected)[i].shape().str() << " in "
          << name_of(precision);
    }
    if (dispatches < 0) continue;
    PartitionSpec spec{
        .nodes = {}, .inputs = graph.inputs, .outputs = graph.outputs, .precision = precision};
    for (size_t n = 0; n < graph.nodes.size(); ++n)
      spec.nodes.push_back(static_cast<NodeId>(n));
    auto partition = device.compile(graph, spec);
    ASSERT_TRUE(partition) << partition.error().what;
    EXPECT_EQ((*partition)->stats().dispatches, dispatches) << name_of(precision);
  }
}

TEST(GpuViews, DetectorHeadsAreOneDispatchAfterTheConvolutions) {
  VULTUS_NEED_GPU(device);
  test::GraphBuilder b;
  std::vector<ValueId> levels;
  for (int64_t size : {8, 4, 2}) {
    ValueId x = b.input({2, 20, size, size});
    ValueId y = b.node("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
    levels.push_back(b.node("Reshape", {y, b.integers({2, -1, 10})}));
  }
  expect_moved(device, b.build({b.node("Concat", levels, {{"axis", int64_t{1}}})}), 1);
}

TEST(GpuViews, SoftmaxWritesForTheHost) {
  VULTUS_NEED_GPU(device);
  for (Precision precision : {Precision::fp32, Precision::fp16}) {
    test::GraphBuilder b;
    ValueId parts = b.input({1, 300, 2});
    Graph graph = b.build({b.node("Softmax", {parts}, {{"axis", int64_t{-1}}})});
    auto partition = device.compile(
        graph,
        {.nodes = {0}, .inputs = graph.inputs, .outputs = graph.outputs, .precision = precision});
    ASSERT_TRUE(partition) << partition.error().what;
    EXPECT_EQ((*partition)->stats().dispatches, precision == Precision::fp16 ? 2 : 1);
  }
}

TEST(GpuViews, AValueThatKernelsAndTheHostReadIsCopiedForBoth) {
  VULTUS_NEED_GPU(device);
  test::GraphBuilder b;
  ValueId x = b.input({1, 11, 6, 5});
  ValueId y = b.node("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
  ValueId z = b.node("Reshape", {y, b.integers({1, 15, 22})});
  ValueId sum = b.node("Relu", {z});
  ValueId all = b.node("Concat", {z, sum, z}, {{"axis", int64_t{2}}});
  ValueId image = b.node("Reshape", {b.node("Neg", {all}), b.integers({1, 15, 6, 11})});
  expect_moved(device, b.build({y, z, sum, all, image}));
}

TEST(GpuViews, MoreSourcesThanADispatchBinds) {
  VULTUS_NEED_GPU(device);
  test::GraphBuilder b;
  std::vector<ValueId> parts;
  for (int64_t c : {3, 8, 16, 1, 5, 7, 8, 24, 2}) {
    ValueId x = b.input({1, c, 5, 4});
    parts.push_back(b.node("Transpose", {x}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}}));
  }
  expect_moved(device, b.build({b.node("Concat", parts, {{"axis", int64_t{-1}}})}), 2);
}

TEST(GpuViews, RandomChainsMoveEveryElementToItsPlace) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 1; seed <= 24; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 engine(seed);
    auto below = [&](int64_t n) {
      return static_cast<int64_t>(engine() % static_cast<uint64_t>(n));
    };
    test::GraphBuilder b;
    std::vector<ValueId> outputs, parts;
    for (int part = 0; part < 3; ++part) {
      ValueId x = b.input({1 + below(2), 8 + below(3) * 4, 2 + below(3) * 2, 6});
      if (below(2)) x = b.node("Relu", {x});
      for (int step = 0; step < 4; ++step) {
        const Shape shape = b.shape(x);
        switch (below(3)) {
          case 0: {
            std::vector<int64_t> perm;
            for (int i = 0; i < shape.rank(); ++i)
              perm.push_back(i);
            std::shuffle(perm.begin(), perm.end(), engine);
            x = b.node("Transpose", {x}, {{"perm", perm}});
            break;
          }
          case 1: {
            int64_t axis = below(shape.rank()), size = shape[static_cast<int>(axis)];
            bool back = below(3) == 0;
            x = b.node("Slice",
                       {x, b.integers({back ? -1 : below(size)}), b.integers({back ? -1000 : 1000}),
                        b.integers({axis}), b.integers({back ? -1 : 1 + below(2)})});
            break;
          }
          default: {
            std::vector<int64_t> sizes(shape.begin(), shape.end());
            auto i = static_cast<size_t>(below(shape.rank() - 1));
            if (below(2) && sizes[i + 1] % 2 == 0) {
              sizes[i] *= 2;
              sizes[i + 1] /= 2;
            } else {
              sizes[i] *= sizes[i + 1];
              sizes[i + 1] = 1;
            }
            x = b.node("Reshape", {x, b.integers(sizes)});
          }
        }
        if (below(4) == 0) outputs.push_back(b.node("Neg", {x}));
      }
      if (below(2)) outputs.push_back(x);
      parts.push_back(b.node("Reshape", {x, b.integers({1, -1})}));
      parts.push_back(b.node("Reshape", {x, b.integers({1, -1, 1, 1})}));
    }
    outputs.push_back(b.node("Concat", {parts[0], parts[2], parts[4]}, {{"axis", int64_t{1}}}));
    ValueId pixels = b.node("Concat", {parts[1], parts[3], parts[5]}, {{"axis", int64_t{1}}});
    outputs.push_back(b.node("GlobalAveragePool", {b.node("Neg", {pixels})}));
    expect_moved(device, b.build(outputs));
  }
}

}  // namespace
}  // namespace vultus
