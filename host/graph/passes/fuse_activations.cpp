#include "host/graph/activation.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

Result<int> fuse_activations(Graph& graph) {
  Readers readers(graph);
  int fused = 0;
  for (NodeId n = 0; n < static_cast<NodeId>(graph.nodes.size()); ++n) {
    const Node& node = graph.node(n);
    ValueId x = node.input(0);
    const Node* before = producer_of(graph, x);
    if (!before || !takes_activation(graph, *before) || readers.only(x) != n ||
        !only_first_output_used(*before, readers) || before->outputs[0] != x)
      continue;
    auto epilogue = as_epilogue(graph, node);
    if (!epilogue) continue;
    NodeId producer = graph.value(x).producer;
    set_epilogue(graph.node(producer), *epilogue);
    absorb(graph, producer, n);
    ++fused;
  }
  graph.compact();
  return fused;
}

}  // namespace vultus
