#include "host/graph/fused.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/rewrite.hpp"
#include "host/ops/resize.hpp"

namespace vultus {

namespace {

/// Whether output position `o` of an axis is input position `o / factor`, wherever it is.
bool repeats(const ResizeMode& mode, const ResizeAxis& axis) {
  if (axis.in == 0 || axis.out % axis.in != 0) return false;
  const ResizeTaps taps = resize_taps(mode, axis);
  if (taps.count != 1) return false;
  for (int64_t o = 0; o < axis.out; ++o)
    if (taps.index[static_cast<size_t>(o)] != o / (axis.out / axis.in)) return false;
  return true;
}

/// Whether a node enlarges maps by repeating every element.
bool is_repetition(const Graph& graph, const Node& node) {
  if ((node.op != "Resize" && node.op != "Upsample") || node.text("mode", "nearest") != "nearest")
    return false;
  const Shape &in = graph.shape(node.inputs[0]), &out = graph.shape(node.outputs[0]);
  if (in.rank() != 4 || in[0] != out[0] || in[1] != out[1]) return false;
  auto mode = resize_mode(node);
  auto inputs = resize_inputs(graph, node);
  if (!mode || !inputs || mode->coordinates == "tf_crop_and_resize") return false;
  auto axes = resize_axes(node, in, *inputs);
  return axes && repeats(*mode, (*axes)[2]) && repeats(*mode, (*axes)[3]);
}

/// What to read instead of an operand of an Add with that result, or kNoValue.
ValueId addend_behind(Graph& graph, ValueId operand, const Shape& out) {
  const Node* before = producer_of(graph, operand);
  if (before && is_repetition(graph, *before) && graph.shape(operand) == out)
    return before->inputs[0];
  // Without a repetition sizes either agree or are one and broadcast.
  const Shape& own = graph.shape(operand);
  if (!fit_addend(own, out)) return kNoValue;
  for (int axis : {2, 3})
    if (own[axis] != out[axis] && own[axis] != 1) return kNoValue;
  return operand;
}

/// Whether the convolution that makes `sum`, read by node `n` only, can add something more.
bool takes_addend(Graph& graph, ValueId sum, NodeId n, const Readers& readers) {
  const Node* conv = producer_of(graph, sum);
  return conv && conv->op == "Conv" && conv->input(4) == kNoValue && !has_second_output(*conv) &&
         readers.only(sum) == n && only_first_output_used(*conv, readers);
}

}  // namespace

Result<int> fuse_addends(Graph& graph) {
  Readers readers(graph);
  int fused = 0;
  for (NodeId n = 0; n < static_cast<NodeId>(graph.nodes.size()); ++n) {
    const Node& add = graph.node(n);
    if (add.op != "Add" || add.inputs.size() != 2 || epilogue_is_set(add)) continue;
    const Value& out = graph.value(add.outputs[0]);
    if (out.dtype != DType::f32 || out.shape.rank() != 4 || out.dynamic_rows) continue;
    ValueId a = add.inputs[0], b = add.inputs[1];
    if (a == b) continue;
    // Of two candidates the later one, as in fuse_residuals; that nobody else reads it rules out a
    // cycle.
    if (graph.value(a).producer < graph.value(b).producer) std::swap(a, b);
    if (!takes_addend(graph, a, n, readers)) std::swap(a, b);
    if (!takes_addend(graph, a, n, readers) || graph.shape(a) != out.shape) continue;
    ValueId addend = addend_behind(graph, b, out.shape);
    if (addend == kNoValue || graph.value(addend).dtype != DType::f32 ||
        graph.value(addend).dynamic_rows)
      continue;
    NodeId conv = graph.value(a).producer;
    Node& node = graph.node(conv);
    node.inputs.resize(std::max<size_t>(node.inputs.size(), 5), kNoValue);
    node.inputs[4] = addend;
    if (epilogue_of(node).kind != Activation::none) node.attributes["addend_last"] = int64_t{1};
    absorb(graph, conv, n);
    ++fused;
  }
  graph.compact();
  return fused;
}

}  // namespace vultus
