#include <fmt/format.h>

#include "gpu/ops/convolution.hpp"

namespace vultus::gpu {
namespace {

// How C joins the product: per column it is a bias, otherwise a residual.
bool per_column(const Shape& c) {
  return c.rank() == 0 || c.elements() == c.back();
}

Support supports(const Graph& graph, const Node& node, const Caps& caps) {
  if (node.integer("transA", 0) != 0) return Support::no("Gemm: transA = 1");
  if (!graph.constant(node.inputs[1])) return Support::no("Gemm: B computed at run time");
  const Value& out = graph.value(node.outputs[0]);
  if (out.dtype != DType::f32)
    return Support::no(fmt::format("Gemm: no GPU kernel for {}", name_of(out.dtype)));
  if (out.shape.elements() == 0 || graph.shape(node.inputs[0]).elements() == 0)
    return Support::no("Gemm: an empty tensor");
  ValueId c = node.input(2);
  if (c != kNoValue && !graph.constant(c)) {
    if (!(graph.shape(c) == out.shape))
      return Support::no("Gemm: a C computed at run time that must be broadcast");
    if (node.real("beta", 1) != 1) return Support::no("Gemm: beta with a C computed at run time");
  }
  return convolution_fits(caps, "Gemm", 1, out.shape[0], out.shape[1]);
}

/// beta * C of any broadcast shape as [M, N] in groups of 8.
std::vector<float> expanded(std::span<const float> values, const Shape& shape, uint32_t rows,
                            uint32_t columns, float beta) {
  size_t stored = (size_t{columns} + 7) / 8 * 8;
  bool down = shape[0] != 1, along = shape[1] != 1;
  std::vector<float> full(rows * stored, 0.0f);
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c)
      full[r * stored + c] =
          beta * values[(down ? r : 0) * static_cast<size_t>(shape[1]) + (along ? c : 0)];
  return full;
}

void build(Builder& b, const Node& node) {
  const Graph& graph = b.graph();
  TensorRef a = b.input(node.inputs[0], Layout::nhwc8);
  Convolution c{.input = a.buffer, .in_w = a.n(), .in_channels = a.c(), .out_w = a.n()};
  c.out_channels = static_cast<uint32_t>(graph.shape(node.outputs[0])[1]);
  c.epilogue.activation = epilogue_of(node);

  std::vector<float> bias;
  ValueId added = node.input(2);
  if (const Tensor* constant = graph.constant(added)) {
    float beta = node.real("beta", 1);
    auto values = constant->as<float>();
    if (per_column(constant->shape())) {
      for (size_t i = 0; i < c.out_channels; ++i)
        bias.push_back(beta * values[values.size() == 1 ? 0 : i]);
    } else {
      c.epilogue.residual =
          b.weights(expanded(values, constant->shape(), a.n(), c.out_channels, beta));
    }
  } else if (added != kNoValue) {
    c.epilogue.residual = b.input(added, Layout::nhwc8).buffer;
  }
  c.epilogue.bias = bias;
  c.epilogue.output = b.output(node.outputs[0], Layout::nhwc8).buffer;

  auto weights = constant_floats(graph, node.inputs[1]);
  bool transposed = node.integer("transB", 0) != 0;
  size_t out_step = transposed ? c.in_channels : 1, in_step = transposed ? 1 : c.out_channels;
  float alpha = node.real("alpha", 1);
  add_convolution(b, c, [&](size_t o, size_t i, size_t, size_t) {
    return alpha * weights[o * out_step + i * in_step];
  });
}

const RegisterGpu gemm({"Gemm", supports, build});

}  // namespace
}  // namespace vultus::gpu
