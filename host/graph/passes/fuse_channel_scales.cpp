#include <array>

#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/rewrite.hpp"
#include "host/ops/window.hpp"

namespace vultus {

namespace {

/// Every output pixel reads the input pixel in its place, all channels of it.
bool is_pointwise(const Graph& graph, const Node& node) {
  if (node.op != "Conv" || node.integer("group", 1) != 1 || node.input(5) != kNoValue) return false;
  const Shape &in = graph.shape(node.inputs[0]), &out = graph.shape(node.outputs[0]);
  return in.rank() == 4 && in[2] == out[2] && in[3] == out[3] &&
         resolve_window(node, in, graph.shape(node.inputs[1])).value().is_point();
}

}  // namespace

Result<int> fuse_channel_scales(Graph& graph) {
  Readers readers(graph);
  int fused = 0;
  for (Node& mul : graph.nodes) {
    if (mul.op != "Mul" || mul.inputs.size() != 2 || epilogue_is_set(mul)) continue;
    NodeId reader = readers.only(mul.outputs[0]);
    if (reader < 0) continue;
    Node& conv = graph.node(reader);
    const Shape& out = graph.shape(mul.outputs[0]);
    if (conv.input(0) != mul.outputs[0] || !is_pointwise(graph, conv)) continue;
    for (size_t side : {size_t{0}, size_t{1}}) {
      ValueId x = mul.inputs[side], scale = mul.inputs[1 - side];
      if (graph.constant(x) || graph.constant(scale) || graph.shape(x) != out ||
          graph.shape(scale) != Shape{out[0], out[1], 1, 1})
        continue;
      conv.inputs.resize(6, kNoValue);
      conv.inputs[0] = x;
      conv.inputs[5] = scale;
      mul = Node{};
      ++fused;
      break;
    }
  }
  graph.compact();
  return fused;
}

}  // namespace vultus
