#include <algorithm>

#include "host/graph/activation.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

namespace {

/// Whether the activation may run on `value` instead: only the Concat reads it and its producer
/// takes an epilogue.
bool can_activate(Graph& graph, const Readers& readers, ValueId value, NodeId concat) {
  const Node* before = producer_of(graph, value);
  return before && takes_activation(graph, *before) && before->outputs[0] == value &&
         readers.only_node(value) == concat && only_first_output_used(*before, readers);
}

}  // namespace

Result<int> hoist_activations(Graph& graph) {
  Readers readers(graph);
  int hoisted = 0;
  for (NodeId n = 0; n < static_cast<NodeId>(graph.nodes.size()); ++n) {
    const Node& node = graph.node(n);
    auto epilogue = as_epilogue(graph, node);
    const Node* concat = epilogue ? producer_of(graph, node.input(0)) : nullptr;
    if (!concat || concat->op != "Concat" || readers.only_node(node.input(0)) != n ||
        graph.value(node.outputs[0]).dtype != DType::f32)
      continue;
    NodeId id = graph.value(node.input(0)).producer;
    if (!std::ranges::all_of(concat->inputs,
                             [&](ValueId v) { return can_activate(graph, readers, v, id); }))
      continue;
    for (ValueId v : concat->inputs)
      set_epilogue(*producer_of(graph, v), *epilogue);
    absorb(graph, id, n);
    ++hoisted;
  }
  graph.compact();
  return hoisted;
}

}  // namespace vultus
