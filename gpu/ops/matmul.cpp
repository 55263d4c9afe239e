#include <fmt/format.h>

#include "gpu/ops/convolution.hpp"
#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t tiles, m, k, n;
  uint32_t batch_inner, a_outer, a_inner, b_outer, b_inner;
  uint32_t b_row, b_column;  // elements from one row or column of the right matrix to the next
  float alpha, beta;
};

constexpr uint32_t kTile = 4;
/// Fewer tiles of longer sums than these: a workgroup shares a tile. Sharing costs a software
/// device more (0.2 ms against 0.1 for 4 tiles of 1280 products on lavapipe).
constexpr uint32_t kFewTiles = 2048, kLongSum = 256, kLongSumInSoftware = 2048, kTeamSize = 64;

/// An operand as [outer, inner, rows, columns].
struct Matrices {
  uint32_t outer = 1, inner = 1, rows = 1, columns = 1;
  uint32_t outer_step() const { return outer == 1 ? 0 : inner * rows * columns; }
  uint32_t inner_step() const { return inner == 1 ? 0 : rows * columns; }
};

Matrices matrices(const Shape& shape) {
  auto size = [&](int from_end) {
    return shape.rank() >= from_end ? static_cast<uint32_t>(shape.back(-from_end)) : 1u;
  };
  return {size(4), size(3), size(2), size(1)};
}

/// Rows of the left operand times one constant matrix. Rows of whole groups of 8 lie the same in
/// both layouts, so the convolution can take row-major operands.
bool constant_matrix(const Graph& graph, const Node& node) {
  const Shape &a = graph.shape(node.inputs[0]), &b = graph.shape(node.inputs[1]);
  return graph.constant(node.inputs[1]) && node.integer("transB", 0) == 0 && b.rank() == 2 &&
         a.back() % 8 == 0 && b.back() % 8 == 0;
}

Support supports(const Graph& graph, const Node& node, const Caps& caps) {
  for (size_t i : {size_t{0}, size_t{1}}) {
    const Value& v = graph.value(node.inputs[i]);
    if (v.shape.rank() < 2 || v.shape.rank() > 4)
      return Support::no(
          fmt::format("MatMul: rank {} (the GPU kernel takes 2 to 4)", v.shape.rank()));
    if (v.dtype != DType::f32)
      return Support::no(fmt::format("MatMul: no GPU kernel for {}", name_of(v.dtype)));
    if (v.shape.elements() == 0) return Support::no("MatMul: an empty tensor");
  }
  const Shape& out = graph.shape(node.outputs[0]);
  if (!constant_matrix(graph, node)) return Support::yes();
  return convolution_fits(caps, "MatMul", 1, out.elements() / out.back(), out.back());
}

void build_constant(Builder& b, const Node& node) {
  TensorRef a = b.input(node.inputs[0], Layout::linear);
  TensorRef out = b.output(node.outputs[0], Layout::linear);
  auto weights = constant_floats(b.graph(), node.inputs[1]);
  Convolution c{.input = a.buffer};
  c.epilogue.output = out.buffer;
  c.in_channels = static_cast<uint32_t>(a.shape.back());
  c.out_channels = static_cast<uint32_t>(out.shape.back());
  c.in_w = c.out_w = a.elements() / c.in_channels;
  c.epilogue.activation = epilogue_of(node);
  add_convolution(
      b, c, [&](size_t o, size_t i, size_t, size_t) { return weights[i * c.out_channels + o]; });
}

void build(Builder& b, const Node& node) {
  if (constant_matrix(b.graph(), node)) return build_constant(b, node);
  TensorRef left = b.input(node.inputs[0], Layout::linear);
  TensorRef right = b.input(node.inputs[1], Layout::linear);
  TensorRef out = b.output(node.outputs[0], Layout::linear);
  Matrices l = matrices(left.shape), r = matrices(right.shape), y = matrices(out.shape);
  const uint32_t tiles =
      y.outer * y.inner * ((y.rows + kTile - 1) / kTile) * ((y.columns + kTile - 1) / kTile);
  Epilogue epilogue = epilogue_of(node);
  const bool transposed = node.integer("transB", 0) != 0;
  const bool team =
      tiles < kFewTiles && l.columns >= (b.caps().software ? kLongSumInSoftware : kLongSum);
  b.dispatch("matmul", {static_cast<uint32_t>(epilogue.kind), team ? 1u : 0u},
             Push{tiles, y.rows, l.columns, y.columns, y.inner, l.outer_step(), l.inner_step(),
                  r.outer_step(), r.inner_step(), transposed ? 1 : r.columns,
                  transposed ? r.columns : 1, epilogue.alpha, epilogue.beta},
             {reads(left), reads(right), writes(out)},
             fold(team ? uint64_t{tiles} * kTeamSize : tiles));
}

const RegisterGpu matmul({"MatMul", supports, build});

}  // namespace
}  // namespace vultus::gpu
