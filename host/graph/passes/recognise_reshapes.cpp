#include "host/graph/passes/patterns.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

namespace {

/// Slice takes its bounds as inputs only from this version on.
constexpr int kSliceWithInputs = 10;

/// Gather(x, constant i of one element) -> Slice [i, i+1) and, where the axis goes, Reshape.
bool gather_to_slice(Graph& graph, NodeId n) {
  const Node& gather = graph.node(n);
  ValueId x = gather.input(0);
  auto index = integer_constant(graph, gather.input(1));
  const Shape in = graph.shape(x);
  if (!index || index->size() != 1 || in.rank() == 0 || graph.value(x).dynamic_rows) return false;
  int64_t axis = gather.integer("axis", 0);
  if (axis < 0) axis += in.rank();
  int64_t size = in[static_cast<int>(axis)];
  int64_t at = (*index)[0] < 0 ? (*index)[0] + size : (*index)[0];
  if (at < 0 || at >= size) return false;

  Shape part = in;
  part[static_cast<int>(axis)] = 1;
  Node slice;
  slice.name = gather.name + ".slice";
  slice.op = "Slice";
  slice.opset = std::max(gather.opset, kSliceWithInputs);
  ValueId out = graph.add_value(slice.name, graph.value(x).dtype, part);
  slice.inputs = {x, add_integers(graph, slice.name + ".start", {at}),
                  add_integers(graph, slice.name + ".end", {at + 1}),
                  add_integers(graph, slice.name + ".axis", {axis})};
  slice.outputs = {out};
  graph.value(out).producer = static_cast<NodeId>(graph.nodes.size());
  graph.nodes.push_back(std::move(slice));
  make_reshape(graph, n, out);
  return true;
}

}  // namespace

int recognise_reshapes(Graph& graph) {
  int found = 0;
  auto count = static_cast<NodeId>(graph.nodes.size());
  for (NodeId n = 0; n < count; ++n) {
    const Node& node = graph.node(n);
    if (node.op == "Squeeze" || node.op == "Unsqueeze" || node.op == "Flatten") {
      if (graph.value(node.input(0)).dynamic_rows) continue;
      make_reshape(graph, n, node.input(0));
      ++found;
    } else if (node.op == "Gather" && gather_to_slice(graph, n)) {
      ++found;
    }
  }
  return found;
}

}  // namespace vultus
