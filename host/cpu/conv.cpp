#include <fmt/format.h>
#include <fmt/ranges.h>

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
    const ConvForm form = choose();
    if (form == ConvForm::stem) {
      build_stem(b_, id_);
      return {};
    }
    if (form == ConvForm::separable) {
      build_separable(b_, id_, *partner_);
      return {};
    }
    Request request = request_for(form);
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

  /// Forms that may fit, the best by rule first: Winograd, then blocked layouts where the network
  /// prefers them, our own kernels where they have won, then whatever oneDNN likes best.
  std::vector<ConvForm> candidates() const {
    const Shape &in = b_.shape(node_.inputs[0]), &out = b_.shape(node_.outputs[0]);
    // Cheap activations oneDNN's two steps compute just as fast.
    if (partner_ && epilogue_of(node_).kind == Activation::silu)
      return {ConvForm::separable, ConvForm::any};
    if (partner_) return {ConvForm::any, ConvForm::separable};
    if (fits_stem(b_, node_)) return {ConvForm::stem, ConvForm::any};
    const bool spare = residual() == kNoValue || !b_.graph().constant(residual());
    const bool winograd = in.rank() == 4 && spare && fits_winograd(b_.graph(), node_);
    std::vector<ConvForm> forms;
    if (b_.prefers_blocked() && in.rank() == 4 && fills_blocks(in[1], out[1])) {
      if (winograd && prefers_winograd(b_.graph(), node_)) forms.push_back(ConvForm::winograd);
      forms.push_back(ConvForm::blocked);
    }
    forms.push_back(ConvForm::any);
    if (winograd && forms.front() != ConvForm::winograd) forms.push_back(ConvForm::winograd);
    return forms;
  }

  /// Whether there is a compiled kernel: oneDNN's reference one takes a hundred times as long.
  bool works(ConvForm form) const {
    if (form == ConvForm::separable || form == ConvForm::stem) return true;
    auto pd = describe(request_for(form));
    if (!pd) return false;
    const std::string_view name = pd->impl_info_str();
    return form == ConvForm::any ? !name.starts_with("ref") : name.starts_with("jit");
  }

  ConvForm choose() {
    partner_ = separable_partner(b_, node_);
    const std::vector<ConvForm> forms = candidates();
    auto by_rule = [&] {
      auto found = std::ranges::find_if(forms, [&](ConvForm form) { return works(form); });
      return found == forms.end() ? ConvForm::any : *found;
    };
    if (forms.size() == 1) return forms.front();
    if (!b_.takes_wishes()) return by_rule();
    ConvChoice choice{.key = key(), .nodes = {id_}, .forms = forms};
    if (partner_) choice.nodes.push_back(*partner_);
    const std::optional<ConvForm> wish = b_.wish(choice.key);
    choice.timed = wish && std::ranges::find(forms, *wish) != forms.end() && works(*wish);
    choice.used = choice.timed ? *wish : by_rule();
    if (choice.used != forms.front()) {
      const ConvForm rule = by_rule();
      choice.changed = choice.used != rule;
      if (choice.changed) keep_layout_of(rule);
    }
    b_.record(choice);
    return choice.used;
  }

  /// The nodes behind find the results where the rule's form would leave them: a choice for one
  /// node is none for its neighbours.
  void keep_layout_of(ConvForm rule) const {
    const ConvBuilder last(b_, partner_.value_or(id_));
    const memory::dims out = dims_of(b_.shape(last.node_.outputs[0]));
    std::optional<Desc> layout;
    if (rule == ConvForm::stem || rule == ConvForm::separable)
      layout = in_family(Family::last, out);
    else if (auto pd = last.describe(last.request_for(rule)))
      layout = pd->dst_desc();
    for (ValueId v : last.node_.outputs)
      if (layout && v != kNoValue) b_.expect_layout(v, *layout);
  }

  Request request_for(ConvForm form) const {
    const memory::dims in = dims_of(b_.shape(node_.inputs[0])),
                       out = dims_of(b_.shape(node_.outputs[0]));
    Request request{.source = Desc(in, kF32, kAny),
                    .target = Desc(out, kF32, kAny),
                    .residual = residual() == kNoValue ? Residual::none : Residual::in_place,
                    .epilogue = first_activation()};
    if (form != ConvForm::blocked && form != ConvForm::winograd) return request;
    request.target = in_family(Family::blocked16, out);
    if (in[1] >= 16) request.source = in_family(Family::blocked16, in);
    if (form == ConvForm::winograd) {
      request.algorithm = dnnl::algorithm::convolution_winograd;
      // It knows no other activation; those follow as a step of their own.
      if (request.epilogue.kind != Activation::relu) request.epilogue = {};
    }
    return request;
  }

  /// All that the time of a choice depends on.
  std::string key() const {
    std::string text = fmt::format("{} {}", b_.prefers_blocked() ? "blocked" : "free",
                                   static_cast<int>(family_of(b_.layout(node_.inputs[0]))));
    for (const Node* node : {&node_, partner_ ? &b_.node(*partner_) : nullptr}) {
      if (!node) continue;
      const Shape &in = b_.shape(node->inputs[0]), &w = b_.shape(node->inputs[1]),
                  &out = b_.shape(node->outputs[0]);
      const Window window = window_of(*node, {w.begin() + 2, w.end()}, in, out);
      const Epilogue epilogue = epilogue_of(*node);
      text += fmt::format(" | {} {} {} {} {} {} | {} {} {}", in.str(), w.str(), out.str(),
                          fmt::join(window.strides, ","), fmt::join(window.dilations, ","),
                          fmt::join(window.begin, ","), static_cast<int>(epilogue.kind),
                          node->outputs.size(), adds_last(*node));
      for (size_t i = 2; i < node->inputs.size(); ++i)
        text += node->inputs[i] == kNoValue            ? '-'
                : b_.graph().constant(node->inputs[i]) ? 'c'
                                                       : 'x';
    }
    return text;
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
  std::optional<NodeId> partner_;  ///< depthwise, which one step with this one could compute
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

bool prefers_winograd(const Graph& graph, const Node& node) {
  if (!fits_winograd(graph, node)) return false;
  // Transformed weights are four times as many. Where they outgrow the caches, reading them takes
  // longer on small maps than the multiplications that are saved.
  constexpr int64_t kMostCachedBytes = 1 << 20, kSmallMap = 16 * 16;
  const Shape &w = graph.shape(node.inputs[1]), &out = graph.shape(node.outputs[0]);
  const auto bytes = 6 * 6 * w[0] * w[1] * static_cast<int64_t>(sizeof(float));
  return bytes <= kMostCachedBytes || out[2] * out[3] > kSmallMap;
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
  Window window = transposed_window_of(node, in, w);
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
