#include "host/graph/activation.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/rewrite.hpp"
#include "host/ops/squeeze_excite.hpp"
#include "host/ops/window.hpp"

namespace vultus {

namespace {

/// A 1x1 convolution of one pixel, with constant weights and nothing added: a matrix product.
bool is_layer(const Graph& graph, const Node& node) {
  if (node.op != "Conv" || node.integer("group", 1) != 1 || !graph.constant(node.input(1)))
    return false;
  if (node.input(2) != kNoValue && !graph.constant(node.input(2))) return false;
  for (size_t i = 3; i < node.inputs.size(); ++i)
    if (node.inputs[i] != kNoValue) return false;
  const Shape &in = graph.shape(node.inputs[0]), &weights = graph.shape(node.inputs[1]),
              &out = graph.shape(node.outputs[0]);
  auto one_pixel = [](const Shape& s) { return s.rank() == 4 && s[2] == 1 && s[3] == 1; };
  return node.outputs.size() == 1 && one_pixel(in) && one_pixel(out) &&
         resolve_window(node, in, weights).value().is_point();
}

/// The layer that alone reads `value`, or null.
Node* next_layer(Graph& graph, const Readers& readers, ValueId value) {
  NodeId n = readers.only(value);
  if (n < 0 || graph.node(n).input(0) != value || !is_layer(graph, graph.node(n))) return nullptr;
  return &graph.node(n);
}

bool fuse_at(Graph& graph, Node& pool, const Readers& readers) {
  if (pool.op != "GlobalAveragePool" || graph.shape(pool.inputs[0]).rank() != 4) return false;
  Node* squeeze = next_layer(graph, readers, pool.outputs[0]);
  Node* excite = squeeze ? next_layer(graph, readers, squeeze->outputs[0]) : nullptr;
  // A gate has as many channels as it closes.
  if (!excite || graph.shape(excite->outputs[0])[1] != graph.shape(pool.inputs[0])[1]) return false;
  Node gate;
  gate.op = "SqueezeExcite";
  gate.name = excite->name;
  gate.opset = excite->opset;
  gate.inputs = {pool.inputs[0], squeeze->inputs[1], squeeze->input(2), excite->inputs[1],
                 excite->input(2)};
  gate.outputs = excite->outputs;
  set_squeeze_epilogue(gate, epilogue_of(*squeeze));
  set_epilogue(gate, epilogue_of(*excite));
  pool = Node{};
  *squeeze = Node{};
  *excite = std::move(gate);
  return true;
}

}  // namespace

Result<int> fuse_squeeze_excite(Graph& graph) {
  Readers readers(graph);
  int fused = 0;
  for (Node& node : graph.nodes)
    fused += fuse_at(graph, node, readers) ? 1 : 0;
  graph.compact();
  return fused;
}

}  // namespace vultus
