#include <optional>
#include <string_view>

#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"
#include "host/cpu/window.hpp"

namespace vultus::cpu {
namespace {

using Conv = dnnl::convolution_forward;
using Deconv = dnnl::deconvolution_forward;
using dnnl::memory;
constexpr auto kF32 = memory::data_type::f32;
constexpr auto kAny = memory::format_tag::any;

memory::dims dims_of(const Shape& shape) {
  return {shape.begin(), shape.end()};
}

/// [groups, out / groups, in / groups, kernel...], without the first for one group.
memory::dims weight_dims(int64_t groups, int64_t out, int64_t in, const memory::dims& kernel) {
  memory::dims dims;
  if (groups > 1) dims.push_back(groups);
  dims.push_back(out);
  dims.push_back(in);
  dims.insert(dims.end(), kernel.begin(), kernel.end());
  return dims;
}

/// How the residual reaches the sum: written over by the result, or read beside it.
enum class Residual { none, in_place, beside };

class ConvBuilder {
 public:
  ConvBuilder(Builder& builder, NodeId id) : b_(builder), id_(id), node_(builder.node(id)) {}

  Result<void> build() {
    std::optional<Conv::primitive_desc> pd =
        describe(residual() == kNoValue ? Residual::none : Residual::in_place, {});
    if (!pd) return b_.add_plain(id_);
    Operand source = b_.input(node_.input(0), pd->src_desc());
    std::vector<Argument> arguments = {{DNNL_ARG_SRC, source}};
    Operand target;
    if (residual() == kNoValue) {
      target = b_.output(node_.outputs[0], pd->dst_desc());
    } else {
      Desc layout = pd->dst_desc();
      Operand other = b_.input(residual(), layout);
      if (other.buffer != source.buffer && b_.may_overwrite(other, id_)) {
        target = b_.output_in(node_.outputs[0], layout, other);
      } else {
        pd = describe(Residual::beside, layout);
        if (!pd || pd->src_desc() != source.desc || pd->dst_desc() != layout)
          return b_.add_plain(id_);
        target = b_.output(node_.outputs[0], layout);
        arguments.push_back({DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, other});
      }
    }
    arguments.push_back({DNNL_ARG_DST, target});
    arguments.push_back({DNNL_ARG_WEIGHTS, weights(pd->weights_desc())});
    if (ValueId bias = node_.input(2); bias != kNoValue)
      arguments.push_back({DNNL_ARG_BIAS, b_.input(bias, pd->bias_desc())});
    b_.add(id_, Conv(*pd), pd->scratchpad_desc(), std::move(arguments));
    return {};
  }

 private:
  ValueId residual() const { return node_.input(3); }

  memory::dims grouped_dims() const {
    const Shape& w = b_.shape(node_.inputs[1]);
    int64_t groups = node_.integer("group", 1);
    return weight_dims(groups, w[0] / groups, w[1], {w.begin() + 2, w.end()});
  }

  /// Nothing when oneDNN has no kernel but its plain reference.
  std::optional<Conv::primitive_desc> describe(Residual residual, const Desc& beside) const {
    const Shape& in = b_.shape(node_.inputs[0]);
    const Shape& out = b_.shape(node_.outputs[0]);
    const Shape& w = b_.shape(node_.inputs[1]);
    Window window = window_of(node_, {w.begin() + 2, w.end()}, in, out);
    Desc bias = node_.input(2) == kNoValue ? Desc() : Desc({out[1]}, kF32, memory::format_tag::a);
    Conv::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                    Desc(dims_of(in), kF32, kAny), Desc(grouped_dims(), kF32, kAny), bias,
                    Desc(dims_of(out), kF32, kAny), window.strides, window.dilations, window.begin,
                    window.end);
    dnnl::post_ops ops;
    if (residual == Residual::in_place) ops.append_sum();
    if (residual == Residual::beside) ops.append_binary(dnnl::algorithm::binary_add, beside);
    append(ops, epilogue_of(node_));
    Conv::primitive_desc pd(desc, attributes(ops), b_.engine(), true);
    if (!pd.get(true)) return {};
    return pd;
  }

  Operand weights(const Desc& wanted) {
    ValueId w = node_.inputs[1];
    Desc from = row_major(grouped_dims());
    if (b_.graph().constant(w)) return b_.constant(w, from, wanted);
    return b_.reordered({b_.plain(w).buffer, from}, wanted);
  }

  Builder& b_;
  NodeId id_;
  const Node& node_;
};

}  // namespace

Result<void> build_conv(Builder& builder, NodeId node) {
  return ConvBuilder(builder, node).build();
}

Result<void> build_conv_transpose(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  const Shape& in = b.shape(node.inputs[0]);
  const Shape& out = b.shape(node.outputs[0]);
  const Shape& w = b.shape(node.inputs[1]);
  int64_t groups = node.integer("group", 1);
  memory::dims kernel(w.begin() + 2, w.end());
  Window window = transposed_window_of(node, kernel, in, out);
  for (int64_t pad : window.end)
    if (pad < 0) return b.add_plain(id);

  memory::dims dims = weight_dims(groups, w[1], w[0] / groups, kernel);
  // ONNX stores [in, out / groups, kernel...].
  Shape strides = w.strides();
  memory::dims stored(strides.begin() + 2, strides.end());
  stored.insert(stored.begin(), {strides[1], strides[0]});
  if (groups > 1) stored.insert(stored.begin(), strides[0] * (w[0] / groups));

  ValueId bias = node.input(2);
  Desc bias_desc = bias == kNoValue ? Desc() : Desc({out[1]}, kF32, memory::format_tag::a);
  Deconv::desc desc(dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct,
                    Desc(dims_of(in), kF32, kAny), Desc(dims, kF32, kAny), bias_desc,
                    Desc(dims_of(out), kF32, kAny), window.strides, window.dilations, window.begin,
                    window.end);
  Deconv::primitive_desc pd(desc, attributes(), b.engine(), true);
  if (!pd.get(true)) return b.add_plain(id);
  Desc from(dims, kF32, stored);
  ValueId weights = node.inputs[1];
  Operand packed = b.graph().constant(weights)
                       ? b.constant(weights, from, pd.weights_desc())
                       : b.reordered({b.plain(weights).buffer, from}, pd.weights_desc());
  std::vector<Argument> arguments = {{DNNL_ARG_SRC, b.input(node.inputs[0], pd.src_desc())},
                                     {DNNL_ARG_WEIGHTS, packed}};
  if (bias != kNoValue) arguments.push_back({DNNL_ARG_BIAS, b.input(bias, pd.bias_desc())});
  Operand target = b.output(node.outputs[0], pd.dst_desc());
  arguments.push_back({DNNL_ARG_DST, target});
  b.add(id, Deconv(pd), pd.scratchpad_desc(), std::move(arguments));
  b.add_activation(id, epilogue_of(node), target, target);
  return {};
}

}  // namespace vultus::cpu
