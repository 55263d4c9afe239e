#include <algorithm>

#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

Result<int> fuse_residuals(Graph& graph) {
  Readers readers(graph);
  int fused = 0;
  for (NodeId n = 0; n < static_cast<NodeId>(graph.nodes.size()); ++n) {
    const Node& node = graph.node(n);
    if (node.op != "Add" || node.inputs.size() != 2 || epilogue_is_set(node)) continue;
    ValueId a = node.inputs[0], b = node.inputs[1];
    if (a == b || !(graph.shape(a) == graph.shape(b)) ||
        graph.value(node.outputs[0]).dtype != DType::f32)
      continue;
    // That nobody else reads the convolution's output also rules out a cycle: the other operand
    // cannot depend on it.
    auto takes = [&](ValueId v) {
      const Node* before = producer_of(graph, v);
      return before && before->op == "Conv" && !epilogue_is_set(*before) && readers.only(v) == n;
    };
    // Of two candidates the later one, so that the sum is made when both operands are there.
    if (graph.value(a).producer < graph.value(b).producer) std::swap(a, b);
    if (!takes(a)) std::swap(a, b);
    if (!takes(a) || graph.constant(b)) continue;
    NodeId conv = graph.value(a).producer;
    graph.node(conv).inputs.resize(4, kNoValue);
    graph.node(conv).inputs[3] = b;
    absorb(graph, conv, n);
    ++fused;
  }
  graph.compact();
  return fused;
}

}  // namespace vultus
