#include <algorithm>
#include <cmath>

#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/patterns.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

namespace {

/// x * Sigmoid(x) -> Silu(x), x * HardSigmoid(x) with HardSwish's constants -> HardSwish(x).
bool gated_to_activation(Graph& graph, NodeId n, const Readers& readers) {
  Node& mul = graph.node(n);
  if (mul.op != "Mul" || mul.inputs.size() != 2) return false;
  for (size_t side = 0; side < 2; ++side) {
    ValueId x = mul.inputs[side], gate = mul.inputs[1 - side];
    const Node* activation = producer_of(graph, gate);
    if (!activation || activation->input(0) != x || readers.only(gate) != n) continue;
    // HardSwish is defined by these numbers; a file holds 1/6 rounded to float or to a few digits.
    bool hard = activation->op == "HardSigmoid" &&
                std::abs(activation->real("alpha", 0.2f) - 1.0f / 6) < 1e-6f &&
                activation->real("beta", 0.5f) == 0.5f;
    if (activation->op != "Sigmoid" && !hard) continue;
    mul.op = hard ? "HardSwish" : "Silu";
    mul.attributes.clear();
    mul.inputs = {x};
    return true;
  }
  return false;
}

std::optional<std::vector<int64_t>> reduced_axes(const Graph& graph, const Node& node) {
  std::optional<std::vector<int64_t>> axes;
  if (node.has("axes")) axes = node.integers("axes");
  if (node.input(1) != kNoValue) axes = integer_constant(graph, node.input(1));
  if (!axes) return std::nullopt;
  for (int64_t& axis : *axes)
    if (axis < 0) axis += graph.shape(node.input(0)).rank();
  std::sort(axes->begin(), axes->end());
  return axes;
}

/// ReduceMean over H and W -> GlobalAveragePool, and a Reshape where the axes are dropped.
bool mean_to_pool(Graph& graph, NodeId n) {
  if (graph.node(n).op != "ReduceMean") return false;
  ValueId x = graph.node(n).input(0);
  const Shape in = graph.shape(x);
  if (in.rank() != 4 || graph.value(x).dtype != DType::f32 ||
      reduced_axes(graph, graph.node(n)) != std::vector<int64_t>{2, 3})
    return false;
  Node pool;
  pool.op = "GlobalAveragePool";
  pool.opset = graph.node(n).opset;
  if (graph.node(n).integer("keepdims", 1) != 0) {
    pool.name = graph.node(n).name;
    pool.inputs = {x};
    pool.outputs = graph.node(n).outputs;
    graph.node(n) = std::move(pool);
    return true;
  }
  pool.name = graph.node(n).name + ".pool";
  pool.inputs = {x};
  ValueId pooled = graph.add_value(pool.name, DType::f32, {in[0], in[1], 1, 1});
  pool.outputs = {pooled};
  graph.value(pooled).producer = static_cast<NodeId>(graph.nodes.size());
  graph.nodes.push_back(std::move(pool));
  make_reshape(graph, n, pooled);
  return true;
}

/// Whether the reader computes the same when zeros lie around its input as when it pads itself.
bool can_pad_itself(const Node& node, const std::vector<int64_t>& own_pads) {
  std::string automatic = node.text("auto_pad", "NOTSET");
  if (automatic != "NOTSET" && automatic != "VALID") return false;
  if (node.op == "Conv") return node.input(5) == kNoValue;  // a scale is for pointwise ones
  if (node.op != "AveragePool" || node.integer("ceil_mode", 0) != 0) return false;
  bool counts = node.integer("count_include_pad", 0) != 0;
  return counts || std::all_of(own_pads.begin(), own_pads.end(), [](int64_t p) { return p == 0; });
}

/// Pad of zeros around H and W (or along one axis, or in a volume) -> `pads` of the one reader.
bool pad_into_reader(Graph& graph, NodeId n, const Readers& readers) {
  const Node& pad = graph.node(n);
  if (pad.op != "Pad" || pad.text("mode", "constant") != "constant") return false;
  NodeId reader = readers.only(pad.outputs[0]);
  auto all = pads_of(graph, pad);
  auto value = pad.has("value") ? std::optional(pad.real("value", 0))
                                : scalar_constant(graph, pad.input(2), 0);
  auto rank = static_cast<size_t>(graph.shape(pad.input(0)).rank());
  if (reader < 0 || !all || value != 0.0f || rank < 3 || all->size() != 2 * rank ||
      graph.node(reader).input(0) != pad.outputs[0])
    return false;
  if (std::any_of(all->begin(), all->end(), [](int64_t p) { return p < 0; })) return false;
  for (size_t axis : {size_t{0}, size_t{1}})
    if ((*all)[axis] != 0 || (*all)[axis + rank] != 0) return false;

  Node& layer = graph.node(reader);
  size_t spatial = rank - 2;
  std::vector<int64_t> pads = layer.integers("pads", std::vector<int64_t>(2 * spatial, 0));
  if (!can_pad_itself(layer, pads) || pads.size() != 2 * spatial) return false;
  // With VALID the attribute is ignored, so nothing of it may be kept.
  if (layer.text("auto_pad", "NOTSET") == "VALID") std::fill(pads.begin(), pads.end(), 0);
  for (size_t i = 0; i < spatial; ++i) {
    pads[i] += (*all)[i + 2];
    pads[i + spatial] += (*all)[i + 2 + rank];
  }
  layer.attributes["pads"] = std::move(pads);
  layer.attributes.erase("auto_pad");
  if (layer.op == "AveragePool") layer.attributes["count_include_pad"] = int64_t{1};
  layer.inputs[0] = pad.inputs[0];
  return true;
}

}  // namespace

Result<int> recognise_patterns(Graph& graph) {
  int found = recognise_einsums(graph) + recognise_reshapes(graph) + recognise_linears(graph) +
              recognise_reductions(graph);
  Readers readers(graph);
  auto count = static_cast<NodeId>(graph.nodes.size());
  for (NodeId n = 0; n < count; ++n)
    if (gated_to_activation(graph, n, readers) || mean_to_pool(graph, n) ||
        pad_into_reader(graph, n, readers))
      ++found;
  graph.compact();
  return found;
}

}  // namespace vultus
