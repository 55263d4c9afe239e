#include <fmt/format.h>

#include "host/cpu/kernels.hpp"
#include "host/ops/op.hpp"
#include "host/ops/product.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

// A vector on the left is a row, one on the right a column.
Shape as_matrix(const Shape& x, bool left) {
  if (x.rank() != 1) return x;
  return left ? Shape{1, x[0]} : Shape{x[0], 1};
}

/// The right matrices as they are multiplied: with our attribute `transB` their rows are columns.
Shape right_matrix(const Node& node, const Shape& b) {
  Shape x = as_matrix(b, false);
  if (node.integer("transB", 0) != 0) std::swap(x[x.rank() - 1], x[x.rank() - 2]);
  return x;
}

Shape batch_of(const Shape& x) {
  return Shape(x.dims().first(static_cast<size_t>(x.rank() - 2)));
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  VULTUS_CHECK(node.expect_type(0, {DType::f32}));
  VULTUS_CHECK(node.expect_type(1, {DType::f32}));
  if (node.shape(0).rank() == 0 || node.shape(1).rank() == 0)
    return node.fail("scalars cannot be multiplied as matrices");
  if (node.node().integer("transB", 0) != 0 && node.shape(1).rank() < 2)
    return node.fail("a vector cannot be transposed");
  const Shape a = as_matrix(node.shape(0), true), b = right_matrix(node.node(), node.shape(1));
  if (a.back() != b.back(-2))
    return node.fail(fmt::format("inner sizes {} and {} of {} and {} differ", a.back(), b.back(-2),
                                 node.shape(0).str(), node.shape(1).str()));
  auto out = broadcast(batch_of(a), batch_of(b));
  if (!out)
    return node.fail(fmt::format("batches of {} and {} do not broadcast", a.str(), b.str()));
  if (node.shape(0).rank() > 1) out->push_back(a.back(-2));
  if (node.shape(1).rank() > 1) out->push_back(b.back());
  return node.set(0, DType::f32, *out);
}

Result<void> eval(Eval& node) {
  const Shape a = as_matrix(node.in[0].shape, true);
  const Shape b = right_matrix(node.node, node.in[1].shape);
  const bool transposed = node.node.integer("transB", 0) != 0;
  const int64_t m = a.back(-2), n = b.back(), k = a.back();
  const Shape batch = *broadcast(batch_of(a), batch_of(b));
  const auto a_strides = broadcast_strides(batch_of(a), batch);
  const auto b_strides = broadcast_strides(batch_of(b), batch);
  const float* pa = node.in[0].as<const float>().data();
  const float* pb = node.in[1].as<const float>().data();
  float* out = node.out[0].as<float>().data();
  for (int64_t i = 0; i < batch.elements(); ++i) {
    int64_t rest = i, at_a = 0, at_b = 0;
    for (int d = batch.rank() - 1; d >= 0; --d) {
      at_a += rest % batch[d] * a_strides[d];
      at_b += rest % batch[d] * b_strides[d];
      rest /= batch[d];
    }
    product({pa + at_a * m * k, k, 1}, {pb + at_b * k * n, transposed ? 1 : n, transposed ? k : 1},
            out + i * m * n, m, n, k);
  }
  return {};
}

int64_t macs(const Graph& graph, const Node& node) {
  return graph.shape(node.outputs[0]).elements() * graph.shape(node.inputs[0]).back();
}

const Register matmul({.name = "MatMul",
                       .infer = infer,
                       .eval = eval,
                       .build = cpu::build_matmul,
                       .macs = macs,
                       .limits = "float32"});

}  // namespace
}  // namespace vultus
