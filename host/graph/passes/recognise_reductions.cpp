#include "host/graph/passes/patterns.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

namespace {

/// Opsets that made the axes of a reduction an input.
constexpr int kSumAxesAreInput = 13, kAxesAreInput = 18;

/// ReduceSum(x * x) -> ReduceSumSquare(x).
bool sum_of_squares(Graph& graph, Node& sum, NodeId n, const Readers& readers) {
  if (sum.op != "ReduceSum") return false;
  const Node* square = producer_of(graph, sum.inputs[0]);
  if (!square || square->op != "Mul" || square->inputs.size() != 2 || epilogue_is_set(*square) ||
      square->inputs[0] != square->inputs[1] || readers.only(sum.inputs[0]) != n ||
      graph.value(sum.inputs[0]).dtype != DType::f32)
    return false;
  sum.inputs[0] = square->inputs[0];
  sum.op = "ReduceSumSquare";
  if (sum.opset < kSumAxesAreInput && sum.has("axes")) {
    const ValueId axes = add_integers(graph, sum.name + ".axes", sum.integers("axes"));
    sum.inputs.resize(1);
    sum.inputs.push_back(axes);
    sum.attributes.erase("axes");
  }
  sum.opset = kAxesAreInput;
  return true;
}

/// Sqrt(ReduceSumSquare(x)) -> ReduceL2(x).
bool root_of_squares(Graph& graph, NodeId n, const Readers& readers) {
  const Node& root = graph.node(n);
  if (root.op != "Sqrt") return false;
  Node* sum = producer_of(graph, root.inputs[0]);
  if (!sum || sum->op != "ReduceSumSquare" || readers.only(root.inputs[0]) != n ||
      graph.value(root.inputs[0]).dtype != DType::f32)
    return false;
  sum->op = "ReduceL2";
  absorb(graph, graph.value(root.inputs[0]).producer, n);
  return true;
}

}  // namespace

int recognise_reductions(Graph& graph) {
  Readers readers(graph);
  int found = 0;
  auto count = static_cast<NodeId>(graph.nodes.size());
  for (NodeId n = 0; n < count; ++n)
    if (sum_of_squares(graph, graph.node(n), n, readers) || root_of_squares(graph, n, readers))
      ++found;
  graph.compact();
  return found;
}

}  // namespace vultus
