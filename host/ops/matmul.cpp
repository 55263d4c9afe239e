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

Shape batch_of(const Shape& x) {
  return Shape(x.dims().first(static_cast<size_t>(x.rank() - 2)));
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  VULTUS_CHECK(node.expect_type(0, {DType::f32}));
  VULTUS_CHECK(node.expect_type(1, {DType::f32}));
  if (node.shape(0).rank() == 0 || node.shape(1).rank() == 0)
    return node.fail("scalars cannot be multiplied as matrices");
  const Shape a = as_matrix(node.shape(0), true), b = as_matrix(node.shape(1), false);
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
  const Shape a = as_matrix(node.in[0].shape, true), b = as_matrix(node.in[1].shape, false);
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
      at_a += rest % batch[d] * a_strides[static_cast<size_t>(d)];
      at_b += rest % batch[d] * b_strides[static_cast<size_t>(d)];
      rest /= batch[d];
    }
    product({pa + at_a * m * k, k, 1}, {pb + at_b * k * n, n, 1}, out + i * m * n, m, n, k);
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
