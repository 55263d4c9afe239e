#include <cmath>

#include "host/graph/passes/affine.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

namespace {

bool is_float_constant(const Graph& graph, ValueId v) {
  const Tensor* t = graph.constant(v);
  return t && t->dtype() == DType::f32;
}

/// One number per channel (axis 1), from a constant that broadcasts over everything else.
std::optional<std::vector<double>> per_channel(const Graph& graph, ValueId v, const Shape& shape) {
  if (!is_float_constant(graph, v) || shape.rank() < 2) return std::nullopt;
  const Shape& own = graph.shape(v);
  if (own.rank() > shape.rank()) return std::nullopt;
  int64_t channels = shape[1];
  for (int i = 1; i <= own.rank(); ++i) {
    bool is_channel = i == shape.rank() - 1;
    if (own.back(-i) != 1 && !(is_channel && own.back(-i) == channels)) return std::nullopt;
  }
  auto values = graph.constant(v)->as<float>();
  std::vector<double> out(static_cast<size_t>(channels));
  for (size_t c = 0; c < out.size(); ++c)
    out[c] = static_cast<double>(values[values.size() == 1 ? 0 : c]);
  return out;
}

/// Add, Sub, Mul or Div of `x` with a constant per channel.
std::optional<Affine> arithmetic(const Graph& graph, const Node& node, ValueId x,
                                 const Shape& shape) {
  if (node.inputs.size() != 2 || epilogue_is_set(node)) return std::nullopt;
  bool x_first = node.inputs[0] == x;
  auto numbers = per_channel(graph, node.inputs[x_first ? 1 : 0], shape);
  if (!numbers) return std::nullopt;
  Affine affine{std::vector<double>(numbers->size(), 1), std::vector<double>(numbers->size(), 0)};
  for (size_t c = 0; c < numbers->size(); ++c) {
    double number = (*numbers)[c];
    if (node.op == "Add") {
      affine.shift[c] = number;
    } else if (node.op == "Sub") {
      affine.shift[c] = x_first ? -number : number;
      affine.scale[c] = x_first ? 1 : -1;
    } else if (node.op == "Mul") {
      affine.scale[c] = number;
    } else if (node.op == "Div" && x_first && number != 0) {
      affine.scale[c] = 1 / number;
    } else {
      return std::nullopt;
    }
  }
  return affine;
}

/// Output channel of every element of a layer's weights.
class ChannelOfWeight {
 public:
  ChannelOfWeight(const Node& node, const Shape& weights, int64_t channels) : channels_(channels) {
    if (node.op == "ConvTranspose") {  // [C, M/group, ...]
      int64_t group = node.integer("group", 1);
      per_group_ = weights[1];
      inner_ = weights.elements() / (weights[0] * weights[1]);
      inputs_per_group_ = weights[0] / group;
      kind_ = Kind::transposed;
    } else if (node.op == "Gemm" && node.integer("transB", 0) == 0) {  // [K, M]
      kind_ = Kind::last;
    } else {  // [M, ...]
      inner_ = weights.elements() / weights[0];
      kind_ = Kind::first;
    }
  }

  int64_t operator()(int64_t i) const {
    if (kind_ == Kind::first) return i / inner_;
    if (kind_ == Kind::last) return i % channels_;
    int64_t row = i / inner_;
    return row / per_group_ / inputs_per_group_ * per_group_ + row % per_group_;
  }

 private:
  enum class Kind : uint8_t { first, last, transposed };
  Kind kind_;
  int64_t channels_;
  int64_t inner_ = 1;
  int64_t per_group_ = 1;
  int64_t inputs_per_group_ = 1;
};

bool all_finite(const Tensor& tensor) {
  for (float v : tensor.as<float>())
    if (!std::isfinite(v)) return false;
  return true;
}

/// Rewrites the layer's weights and bias; false when they have a form that cannot take it.
bool scale_layer(Graph& graph, Node& layer, const Affine& affine) {
  const Shape out = graph.shape(layer.outputs[0]);
  auto channels = static_cast<int64_t>(affine.scale.size());
  if (!is_float_constant(graph, layer.input(1)) || graph.shape(layer.input(1)).elements() == 0)
    return false;
  std::vector<double> bias(affine.scale.size(), 0);
  if (layer.input(2) != kNoValue) {
    auto old = per_channel(graph, layer.input(2), layer.op == "Gemm" ? out : Shape{1, channels});
    if (!old) return false;
    bias = *old;
  }
  double beta = layer.op == "Gemm" ? static_cast<double>(layer.real("beta", 1)) : 1;

  Tensor weights = graph.constant(layer.input(1))->clone();
  ChannelOfWeight channel(layer, weights.shape(), channels);
  auto w = weights.as<float>();
  for (size_t i = 0; i < w.size(); ++i) {
    auto c = static_cast<size_t>(channel(static_cast<int64_t>(i)));
    w[i] = static_cast<float>(static_cast<double>(w[i]) * affine.scale[c]);
  }
  Tensor shift(DType::f32, {channels});
  for (size_t c = 0; c < bias.size(); ++c)
    shift.as<float>()[c] = static_cast<float>(beta * bias[c] * affine.scale[c] + affine.shift[c]);
  if (!all_finite(weights) || !all_finite(shift)) return false;

  if (layer.op == "Gemm") layer.attributes["beta"] = 1.0f;
  if (layer.inputs.size() < 3) layer.inputs.resize(3, kNoValue);
  layer.inputs[1] = graph.add_constant(graph.value(layer.inputs[1]).name, std::move(weights));
  layer.inputs[2] = graph.add_constant(layer.name + ".bias", std::move(shift));
  return true;
}

bool is_layer(const Node& node) {
  return (node.op == "Conv" || node.op == "ConvTranspose" || node.op == "Gemm") &&
         !epilogue_is_set(node);
}

/// The layer before `node` that nobody else reads, or -1.
NodeId layer_before(Graph& graph, const Node& node, NodeId n, const Readers& readers) {
  for (ValueId v : node.inputs) {
    const Node* before = producer_of(graph, v);
    if (before && is_layer(*before) && readers.only(v) == n) return graph.value(v).producer;
  }
  return -1;
}

}  // namespace

Result<int> fold_batch_norm(Graph& graph) {
  Readers readers(graph);
  int folded = 0;
  for (NodeId n = 0; n < static_cast<NodeId>(graph.nodes.size()); ++n) {
    const Node& node = graph.node(n);
    bool is_norm = node.op == "BatchNormalization";
    if (!is_norm && node.op != "Add" && node.op != "Sub" && node.op != "Mul" && node.op != "Div")
      continue;
    if (!only_first_output_used(node, readers) || (is_norm && epilogue_is_set(node))) continue;
    NodeId layer = layer_before(graph, node, n, readers);
    if (layer < 0) continue;
    ValueId x = graph.node(layer).outputs[0];
    const Shape shape = graph.shape(x);
    if (shape.rank() < 2 || !(graph.shape(node.outputs[0]) == shape)) continue;
    auto affine =
        is_norm ? batch_norm_affine(graph, node, shape[1]) : arithmetic(graph, node, x, shape);
    if (!affine || !scale_layer(graph, graph.node(layer), *affine)) continue;
    absorb(graph, layer, n);
    ++folded;
  }
  graph.compact();
  return folded;
}

}  // namespace vultus
