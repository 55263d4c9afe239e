#include <algorithm>
#include <optional>
#include <string_view>

#include "host/cpu/builder.hpp"
#include "host/cpu/channel_scale.hpp"
#include "host/cpu/fused.hpp"
#include "host/cpu/kernels.hpp"
#include "host/cpu/window.hpp"
#include "host/graph/fused.hpp"

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

/// What is asked of oneDNN for one convolution.
struct Request {
  dnnl::algorithm algorithm = dnnl::algorithm::convolution_direct;
  Desc source, target;
  Residual residual = Residual::none;
  Epilogue epilogue;
};

class ConvBuilder {
 public:
  ConvBuilder(Builder& builder, NodeId id) : b_(builder), id_(id), node_(builder.node(id)) {}

  Result<void> build() {
    if (build_separable(b_, id_) || build_stem(b_, id_)) return {};
    Request request = best_request();
    std::optional<Conv::primitive_desc> pd = describe(request);
    if (!pd) return b_.add_plain(id_);
    Operand source = b_.input(node_.input(0), pd->src_desc());
    if (scale() != kNoValue && !scales_weights())
      source = scaled_channels(b_, id_, source, b_.shape(node_.inputs[0]), scale());
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
        request = {.source = source.desc,
                   .target = layout,
                   .residual = Residual::beside,
                   .epilogue = first_activation()};
        pd = describe(request);
        if (!pd) return b_.add_plain(id_);
        target = b_.output(node_.outputs[0], layout);
        arguments.push_back({DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, other});
      }
    }
    arguments.push_back({DNNL_ARG_DST, target});
    arguments.push_back({DNNL_ARG_WEIGHTS, weights(pd->weights_desc())});
    if (ValueId bias = node_.input(2); bias != kNoValue)
      arguments.push_back({DNNL_ARG_BIAS, b_.input(bias, pd->bias_desc())});
    b_.add(id_, Conv(*pd), pd->scratchpad_desc(), std::move(arguments));
    if (request.epilogue.kind == Activation::none)
      b_.add_activation(id_, first_activation(), target, target);
    const bool second = has_second_output(node_);
    if (first_activation().kind == epilogue_of(node_).kind) {
      add_fused(b_, id_, target, addend(), second);
    } else {
      add_fused(b_, id_, target, addend(), false);
      Operand sum{target.buffer, b_.layout(node_.outputs[0])};
      b_.add_activation(id_, epilogue_of(node_), sum, sum);
      add_fused(b_, id_, sum, kNoValue, second);
    }
    return {};
  }

 private:
  ValueId residual() const { return node_.input(3); }
  ValueId addend() const { return node_.input(4); }
  ValueId scale() const { return node_.input(5); }
  /// What can follow the sum at once: nothing where an addend comes in between.
  Epilogue first_activation() const {
    return addend() == kNoValue || adds_last(node_) ? epilogue_of(node_) : Epilogue{};
  }
  /// Whether a scale of the input's channels costs less when the weights take it.
  bool scales_weights() const {
    const Shape &in = b_.shape(node_.inputs[0]), &w = b_.shape(node_.inputs[1]);
    return in[0] == 1 && node_.integer("group", 1) == 1 && b_.graph().constant(node_.inputs[1]) &&
           w.elements() < in.elements();
  }

  memory::dims grouped_dims() const {
    const Shape& w = b_.shape(node_.inputs[1]);
    int64_t groups = node_.integer("group", 1);
    return weight_dims(groups, w[0] / groups, w[1], {w.begin() + 2, w.end()});
  }

  /// Winograd where it fits, then blocked layouts where the network prefers them, then whatever
  /// oneDNN likes best. The first that has a compiled kernel wins.
  Request best_request() const {
    memory::dims in = dims_of(b_.shape(node_.inputs[0])), out = dims_of(b_.shape(node_.outputs[0]));
    Request any{.source = Desc(in, kF32, kAny),
                .target = Desc(out, kF32, kAny),
                .residual = residual() == kNoValue ? Residual::none : Residual::in_place,
                .epilogue = first_activation()};
    if (!b_.prefers_blocked() || in.size() != 4 || !fills_blocks(in[1], out[1])) return any;
    std::vector<Request> wishes;
    Request blocked = any;
    blocked.target = in_family(Family::blocked16, out);
    if (in[1] >= 16) blocked.source = in_family(Family::blocked16, in);
    Request winograd = blocked;
    winograd.algorithm = dnnl::algorithm::convolution_winograd;
    // It knows no other activation; those follow as a step of their own.
    if (winograd.epilogue.kind != Activation::relu) winograd.epilogue = {};
    bool spare = residual() == kNoValue || !b_.graph().constant(residual());
    if (spare && fits_winograd(b_.graph(), node_)) wishes.push_back(winograd);
    wishes.push_back(blocked);
    for (const Request& wish : wishes) {
      auto pd = describe(wish);
      if (pd && std::string_view(pd->impl_info_str()).starts_with("jit")) return wish;
    }
    return any;
  }

  /// Whether blocks of 16 channels are worth while: they would be half empty for fewer, save that
  /// the picture's three or so have a kernel of their own; depthwise ones take what they get.
  bool fills_blocks(int64_t in, int64_t out) const {
    bool depthwise = node_.integer("group", 1) > 1;
    if (depthwise) return family_of(b_.layout(node_.inputs[0])) == Family::blocked16;
    return out >= 16 ? in >= 16 || in < 8
                     : family_of(b_.layout(node_.inputs[0])) == Family::blocked16;
  }

  std::optional<Conv::primitive_desc> describe(const Request& request) const {
    const Shape& in = b_.shape(node_.inputs[0]);
    const Shape& out = b_.shape(node_.outputs[0]);
    const Shape& w = b_.shape(node_.inputs[1]);
    Window window = window_of(node_, {w.begin() + 2, w.end()}, in, out);
    Desc bias = node_.input(2) == kNoValue ? Desc() : Desc({out[1]}, kF32, memory::format_tag::a);
    Conv::desc desc(dnnl::prop_kind::forward_inference, request.algorithm, request.source,
                    Desc(grouped_dims(), kF32, kAny), bias, request.target, window.strides,
                    window.dilations, window.begin, window.end);
    dnnl::post_ops ops;
    if (request.residual == Residual::in_place) ops.append_sum();
    if (request.residual == Residual::beside)
      ops.append_binary(dnnl::algorithm::binary_add, request.target);
    append(ops, request.epilogue);
    Conv::primitive_desc pd(desc, attributes(ops), b_.engine(), true);
    if (!pd.get(true)) return {};
    return pd;
  }

  Operand weights(const Desc& wanted) {
    ValueId w = node_.inputs[1];
    Desc from = row_major(grouped_dims());
    if (scale() != kNoValue && scales_weights())
      return scaled_weights(b_, id_, w, from, wanted, scale());
    if (b_.graph().constant(w)) return b_.constant(w, from, wanted);
    return b_.reordered({b_.plain(w).buffer, from}, wanted);
  }

  Builder& b_;
  NodeId id_;
  const Node& node_;
};

}  // namespace

bool fits_winograd(const Graph& graph, const Node& node) {
  if (node.op != "Conv" || node.inputs.size() < 2 || node.integer("group", 1) != 1) return false;
  const Shape& w = graph.shape(node.inputs[1]);
  if (w.rank() != 4 || w[2] != 3 || w[3] != 3 || w[0] % 16 != 0 || w[1] % 16 != 0) return false;
  auto ones = [&](std::string_view key) {
    return std::ranges::all_of(node.integers(key), [](int64_t v) { return v == 1; });
  };
  // Below 32 channels transforming the tiles costs more than it saves.
  return w[0] >= 32 && w[1] >= 32 && ones("strides") && ones("dilations");
}

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
