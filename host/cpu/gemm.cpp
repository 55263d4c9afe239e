#include <algorithm>
#include <numeric>

#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"
#include "host/cpu/narrow_gemm.hpp"
#include "host/cpu/panels.hpp"

namespace vultus::cpu {
namespace {

using dnnl::memory;
constexpr auto kF32 = memory::data_type::f32;
constexpr auto kAny = memory::format_tag::any;

Tensor scaled(const Tensor& tensor, float factor) {
  Tensor out = tensor.clone();
  for (float& v : out.as<float>())
    v *= factor;
  return out;
}

/// out [rows, columns] = a [rows, depth] * constant weights [columns, depth] + bias [columns].
struct InnerProduct {
  Operand a;
  int64_t rows, columns, depth;
  ValueId weights;
  Desc stored;  ///< how the constant lies
  float factor;
  Operand bias;  ///< absent when its buffer is negative
};

/// Kernels of ours for few rows and enough weights that reading them is most of the work.
enum class Narrow : uint8_t { none, rows, panels };

Narrow narrow_form(const InnerProduct& p) {
  if (p.columns * p.depth < 1 << 16) return Narrow::none;
  if (p.rows <= kNarrowRows) return Narrow::rows;
  bool fits = p.rows <= kPanelRows && p.columns % kPanelColumns == 0 && p.bias.buffer >= 0;
  return fits && has_wide_vectors() ? Narrow::panels : Narrow::none;
}

Operand narrow_weights(Builder& b, const InnerProduct& p, Narrow form) {
  const Tensor& given = *b.graph().constant(p.weights);
  Desc plain = row_major({p.columns, p.depth});
  if (form == Narrow::panels) {
    auto strides = p.stored.data.format_desc.blocking.strides;
    return b.constant(panels_of(given, p.columns, p.depth, strides[0], strides[1], p.factor), plain,
                      plain);
  }
  return p.factor == 1 ? b.constant(p.weights, p.stored, plain)
                       : b.constant(scaled(given, p.factor), p.stored, plain);
}

void add_narrow(Builder& b, NodeId id, const InnerProduct& p, Narrow form) {
  ValueId y = b.node(id).outputs[0];
  Operand target = b.output(y, b.plain_desc(y));
  std::vector<Operand> operands = {p.a, narrow_weights(b, p, form), target};
  if (p.bias.buffer >= 0) operands.push_back(p.bias);
  b.add(id, std::move(operands),
        [rows = p.rows, columns = p.columns, depth = p.depth,
         form](std::span<std::byte* const> at) -> Result<void> {
          auto floats = [&](size_t i) {
            return i < at.size() ? reinterpret_cast<float*>(at[i]) : nullptr;
          };
          (form == Narrow::rows ? narrow_gemm : panel_gemm)(floats(0), floats(1), floats(3),
                                                            floats(2), rows, columns, depth);
          return {};
        });
  b.add_activation(id, epilogue_of(b.node(id)), target, target);
}

void add_inner_product(Builder& b, NodeId id, const InnerProduct& p) {
  if (Narrow form = narrow_form(p); form != Narrow::none) return add_narrow(b, id, p, form);
  using Inner = dnnl::inner_product_forward;
  dnnl::post_ops ops;
  append(ops, epilogue_of(b.node(id)));
  Desc out = row_major({p.rows, p.columns});
  Inner::desc desc(dnnl::prop_kind::forward_inference, p.a.desc,
                   Desc({p.columns, p.depth}, kF32, kAny), p.bias.desc, out);
  Inner::primitive_desc pd(desc, attributes(ops), b.engine());
  Operand weights = p.factor == 1 ? b.constant(p.weights, p.stored, pd.weights_desc())
                                  : b.constant(scaled(*b.graph().constant(p.weights), p.factor),
                                               p.stored, pd.weights_desc());
  ValueId y = b.node(id).outputs[0];
  Operand target{b.output(y, b.plain_desc(y)).buffer, out};
  std::vector<Argument> arguments = {
      {DNNL_ARG_SRC, p.a}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, target}};
  if (p.bias.buffer >= 0) arguments.push_back({DNNL_ARG_BIAS, p.bias});
  b.add(id, Inner(pd), pd.scratchpad_desc(), std::move(arguments));
}

/// Descriptor of a row-major value under leading ones, so that all have `rank` axes.
Desc padded_rank(const Shape& shape, int rank) {
  std::vector<int64_t> dims(static_cast<size_t>(rank - shape.rank()), 1);
  dims.insert(dims.end(), shape.begin(), shape.end());
  return row_major(dims);
}

/// The same memory, its last two axes exchanged.
Desc swapped(const Desc& desc) {
  std::vector<int> axes(desc.dims().size());
  std::iota(axes.begin(), axes.end(), 0);
  std::swap(axes[axes.size() - 1], axes[axes.size() - 2]);
  return desc.permute_axes(axes);
}

}  // namespace

Result<void> build_gemm(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  const Graph& graph = b.graph();
  const Tensor* weights = graph.constant(node.inputs[1]);
  ValueId c = node.input(2);
  const Shape& out = b.shape(node.outputs[0]);
  bool row_bias = c == kNoValue || (graph.constant(c) && b.shape(c).elements() == out[1] &&
                                    (b.shape(c).rank() == 0 || b.shape(c).back() == out[1]));
  if (!weights || !row_bias) return b.add_plain(id);

  float alpha = node.real("alpha", 1), beta = node.real("beta", 1);
  bool trans_a = node.integer("transA", 0) != 0, trans_b = node.integer("transB", 0) != 0;
  InnerProduct p;
  p.rows = out[0];
  p.columns = out[1];
  p.depth = weights->shape()[trans_b ? 1 : 0];
  p.weights = node.inputs[1];
  p.factor = alpha;
  memory::dims strides = trans_b ? memory::dims{p.depth, 1} : memory::dims{1, p.columns};
  p.stored = Desc({p.columns, p.depth}, kF32, strides);
  Desc plain_a = row_major({p.rows, p.depth});
  p.a = b.plain(node.inputs[0]);
  if (trans_a)
    p.a =
        b.reordered({p.a.buffer, Desc({p.rows, p.depth}, kF32, memory::dims{1, p.rows})}, plain_a);
  if (c != kNoValue) {
    Desc bias = row_major({p.columns});
    p.bias = beta == 1 ? b.constant(c, bias, bias)
                       : b.constant(scaled(*graph.constant(c), beta), bias, bias);
  }
  add_inner_product(b, id, p);
  return {};
}

Result<void> build_matmul(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  const Shape &x = b.shape(node.inputs[0]), &w = b.shape(node.inputs[1]);
  ValueId y = node.outputs[0];
  if (x.rank() < 2 || w.rank() < 2) return b.add_plain(id);

  const bool transposed = node.integer("transB", 0) != 0;
  if (b.graph().constant(node.inputs[1]) && w.rank() == 2 && !transposed) {
    InnerProduct p;
    p.depth = x.back();
    p.rows = x.elements() / p.depth;
    p.columns = w[1];
    p.a = {b.plain(node.inputs[0]).buffer, row_major({p.rows, p.depth})};
    p.weights = node.inputs[1];
    p.stored = Desc({p.columns, p.depth}, kF32, memory::dims{1, p.columns});
    p.factor = 1;
    add_inner_product(b, id, p);
    return {};
  }
  int rank = std::max(x.rank(), w.rank());
  Desc out = padded_rank(b.shape(y), rank);
  Operand left{b.plain(node.inputs[0]).buffer, padded_rank(x, rank)};
  Operand right{b.plain(node.inputs[1]).buffer, padded_rank(w, rank)};
  if (transposed) right.desc = swapped(right.desc);
  dnnl::post_ops ops;
  append(ops, epilogue_of(node));
  dnnl::matmul::primitive_desc pd({left.desc, right.desc, out}, attributes(ops), b.engine(), true);
  if (!pd.get(true)) return b.add_plain(id);
  Operand target{b.output(y, b.plain_desc(y)).buffer, out};
  b.add(id, dnnl::matmul(pd), pd.scratchpad_desc(),
        {{DNNL_ARG_SRC, left}, {DNNL_ARG_WEIGHTS, right}, {DNNL_ARG_DST, target}});
  return {};
}

}  // namespace vultus::cpu
