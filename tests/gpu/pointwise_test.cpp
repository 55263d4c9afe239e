#include "tests/support/pointwise.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "host/core/half.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/ops/pointwise_program.hpp"
#include "tests/gpu/lanes.hpp"

namespace vultus {
namespace {

using test::random_halves;

std::vector<Tensor> inputs_of(const Graph& graph, uint32_t seed) {
  std::vector<Tensor> data;
  for (ValueId v : graph.inputs)
    data.push_back(random_halves(graph.shape(v), seed + static_cast<uint32_t>(v), -2, 2));
  return data;
}

std::vector<const Tensor*> pointers(const std::vector<Tensor>& tensors) {
  std::vector<const Tensor*> all;
  for (const Tensor& t : tensors)
    all.push_back(&t);
  return all;
}

/// Constants that fp16 holds exactly.
void round_constants(Graph& graph) {
  for (Value& v : graph.values)
    if (v.constant && v.dtype == DType::f32)
      v.constant = std::make_shared<const Tensor>([&] {
        Tensor t = v.constant->clone();
        for (float& x : t.as<float>())
          x = float_from_half(half_from_float(x));
        return t;
      }());
}

double largest_difference(const Tensor& got, const Tensor& expected) {
  double largest = 0;
  test::for_each(got.shape(), [&](const test::Index& at) {
    const double e = test::element(expected, at);
    largest = std::max(largest, std::abs(test::element(got, at) - e) / (1 + std::abs(e)));
  });
  return largest;
}

/// The fused network on the device against the one that was not fused, on the plain kernels.
void expect_same(Device& gpu, Graph graph, uint32_t seed, Precision precision) {
  round_constants(graph);
  Graph fused = graph;
  ASSERT_TRUE(fuse_pointwise(fused));
  auto cpu = open_cpu(1);
  ASSERT_TRUE(cpu);
  for (const Node& node : fused.nodes) {
    Support support = gpu.supports(fused, node, precision);
    ASSERT_TRUE(support.ok) << support.reason;
  }
  const std::vector<Tensor> data = inputs_of(graph, seed);
  auto expected = test::run_on(**cpu, graph, pointers(data));
  auto got = test::run_on(gpu, fused, pointers(data), precision);
  ASSERT_TRUE(expected) << expected.error().what;
  ASSERT_TRUE(got) << got.error().what;
  // Nodes that stay apart round their results to storage, and a chain carries that on.
  const double tolerance = precision == Precision::fp32 ? 1e-4 : 2e-2;
  for (size_t i = 0; i < got->size(); ++i)
    EXPECT_LE(largest_difference((*got)[i], (*expected)[i]), tolerance) << "output " << i;
}

/// exp(x * y) and whether it is above one.
test::OpCase scaled_exponential(Tensor x, Tensor y) {
  PointwiseProgram program{.inputs = 2,
                           .immediates = {1},
                           .code = {{PointwiseOp::mul, 0, 1, 0}, {PointwiseOp::exp, 3, 3, 3}},
                           .results = {4},
                           .types = {DType::f32}};
  Node node;
  set_pointwise_program(node, program);
  test::OpCase what{.op = "Pointwise", .attributes = std::move(node.attributes)};
  what.operands.push_back({std::move(x)});
  what.operands.push_back({std::move(y)});
  what.tolerance_fp32 = 1e-5;
  return what;
}

TEST(GpuPointwise, EitherLayoutAndEveryBroadcastMatchTheReference) {
  VULTUS_NEED_GPU(device);
  const Shape full{2, 11, 3, 5};
  for (const Shape& shape : {full, Shape{}, Shape{5}, Shape{11, 1, 1}, Shape{1, 11, 1, 1},
                             Shape{2, 1, 3, 5}, Shape{1, 1, 1, 5}, Shape{2, 11, 1, 1}}) {
    SCOPED_TRACE(shape.str());
    const Tensor x = random_halves(full, 1), y = random_halves(shape, 2);
    test::expect_op(device, scaled_exponential(x.clone(), y.clone()),
                    [&](size_t, const test::Index& at) {
                      return std::exp(test::element(x, at) * test::broadcast_element(y, at));
                    });
  }
}

TEST(GpuPointwise, PaddingLanesAreZeroWhereTheProgramMakesOnes) {
  VULTUS_NEED_GPU(device);
  const Shape full{2, 11, 3, 5};
  const Tensor x = random_halves(full, 1), y = random_halves({11, 1, 1}, 2);
  std::vector<double> expected;
  test::for_each(full, [&](const test::Index& at) {
    expected.push_back(std::exp(test::element(x, at) * test::broadcast_element(y, at)));
  });
  test::expect_lanes(device, scaled_exponential(x.clone(), y.clone()), expected);
}

TEST(GpuPointwise, RandomNetworksMatchTheCompositionOfTheirNodes) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    expect_same(device, test::random_pointwise_network(seed, 12), seed,
                seed % 2 ? Precision::fp16 : Precision::fp32);
  }
}

}  // namespace
}  // namespace vultus
