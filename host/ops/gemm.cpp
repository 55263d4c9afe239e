#include <fmt/format.h>

#include "host/cpu/kernels.hpp"
#include "host/graph/activation.hpp"
#include "host/ops/op.hpp"
#include "host/ops/product.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

struct Sizes {
  int64_t m, n, k, k_of_b;
};

Sizes sizes(const Node& node, const Shape& a, const Shape& b) {
  const bool ta = node.integer("transA", 0) != 0, tb = node.integer("transB", 0) != 0;
  return {a[ta ? 1 : 0], b[tb ? 0 : 1], a[ta ? 0 : 1], b[tb ? 1 : 0]};
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(node.node().opset < 11 ? 3 : 2, 3));
  for (size_t i = 0; i < 3; ++i)
    VULTUS_CHECK(node.expect_type(i, {DType::f32}));
  const Shape &a = node.shape(0), &b = node.shape(1);
  if (a.rank() != 2 || b.rank() != 2)
    return node.fail(fmt::format("matrices {} and {} must have rank 2", a.str(), b.str()));
  const Sizes s = sizes(node.node(), a, b);
  if (s.k != s.k_of_b) return node.fail(fmt::format("inner sizes {} and {} differ", s.k, s.k_of_b));
  const Shape out{s.m, s.n};
  if (node.has(2) && broadcast(out, node.shape(2)) != out)
    return node.fail(
        fmt::format("C of shape {} does not broadcast to {}", node.shape(2).str(), out.str()));
  return node.set(0, DType::f32, out);
}

Result<void> eval(Eval& node) {
  const TensorView &a = node.in[0], &b = node.in[1], &out = node.out[0];
  const Sizes s = sizes(node.node, a.shape, b.shape);
  const bool ta = node.node.integer("transA", 0) != 0, tb = node.node.integer("transB", 0) != 0;
  const Matrix left{a.as<const float>().data(), ta ? 1 : s.k, ta ? s.m : 1};
  const Matrix right{b.as<const float>().data(), tb ? 1 : s.n, tb ? s.k : 1};
  product(left, right, out.as<float>().data(), s.m, s.n, s.k,
          static_cast<double>(node.node.real("alpha", 1)));
  if (node.has(2)) {
    const float beta = node.node.real("beta", 1);
    apply_broadcast<float, float>(out, node.in[2], out,
                                  [beta](float x, float c) { return x + beta * c; });
  }
  activate(epilogue_of(node.node), out.as<float>());
  return {};
}

int64_t macs(const Graph& graph, const Node& node) {
  const Sizes s = sizes(node, graph.shape(node.inputs[0]), graph.shape(node.inputs[1]));
  return s.m * s.n * s.k;
}

const Register gemm({.name = "Gemm",
                     .since = 7,
                     .infer = infer,
                     .eval = eval,
                     .build = cpu::build_gemm,
                     .macs = macs,
                     .limits = "float32"});

}  // namespace
}  // namespace vultus
