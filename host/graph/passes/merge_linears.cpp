#include <algorithm>

#include "host/graph/activation.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

namespace {

/// Whether the bias of a Gemm is absent or one constant per column.
bool plain_bias(const Graph& graph, const Node& gemm) {
  if (gemm.input(2) == kNoValue) return true;
  const Tensor* t = graph.constant(gemm.input(2));
  const int64_t columns = graph.shape(gemm.outputs[0])[1];
  return t && t->shape().elements() == columns && t->shape().rank() > 0 &&
         t->shape().back() == columns;
}

/// The Gemms whose rows a Concat puts one after the other, each read by nobody else; empty when an
/// operand is something else.
std::vector<NodeId> stacked(Graph& graph, NodeId n, const Readers& readers) {
  const Node& concat = graph.node(n);
  int64_t axis = concat.integer("axis", 0);
  if (axis < 0) axis += graph.shape(concat.outputs[0]).rank();
  std::vector<NodeId> gemms;
  for (ValueId operand : concat.inputs) {
    const Shape& shape = graph.shape(operand);
    int64_t rows = 1;
    for (int i = 0; i < axis; ++i)
      rows *= shape[i];
    NodeId reader = n;
    const Node* before = producer_of(graph, operand);
    if (before && before->op == "Reshape" && readers.only(operand) == n) {
      reader = graph.value(operand).producer;
      operand = before->inputs[0];
      before = producer_of(graph, operand);
    }
    if (!before || before->op != "Gemm" || readers.only(operand) != reader ||
        graph.shape(operand)[0] != rows || graph.shape(operand).elements() == 0 ||
        !graph.constant(before->inputs[1]) || before->integer("transA", 0) != 0 ||
        !plain_bias(graph, *before))
      return {};
    gemms.push_back(graph.value(operand).producer);
  }
  const Node& first = graph.node(gemms[0]);
  const bool alike = std::ranges::all_of(gemms, [&](NodeId id) {
    const Node& gemm = graph.node(id);
    return gemm.inputs[0] == first.inputs[0] && epilogue_of(gemm) == epilogue_of(first) &&
           gemm.real("alpha", 1) == first.real("alpha", 1) &&
           gemm.real("beta", 1) == first.real("beta", 1);
  });
  return alike && std::ranges::adjacent_find(gemms) == gemms.end() ? gemms : std::vector<NodeId>{};
}

/// Rows [columns of the result, depth] of all weights, and their biases.
void add_stack(Graph& graph, const std::vector<NodeId>& gemms, Node& all, int64_t columns) {
  const int64_t depth = graph.shape(all.inputs[0])[1];
  Tensor weights(DType::f32, {columns, depth}), bias(DType::f32, {columns});
  std::ranges::fill(bias.as<float>(), 0.0f);
  auto w = weights.as<float>().begin(), b = bias.as<float>().begin();
  for (NodeId id : gemms) {
    const Node& gemm = graph.node(id);
    const auto from = graph.constant(gemm.inputs[1])->as<float>();
    const auto outs = static_cast<size_t>(graph.shape(gemm.outputs[0])[1]);
    const auto ins = static_cast<size_t>(depth);
    const bool rows = gemm.integer("transB", 0) != 0;
    for (size_t o = 0; o < outs; ++o)
      for (size_t i = 0; i < ins; ++i)
        *w++ = from[rows ? o * ins + i : i * outs + o];
    if (const Tensor* own = graph.constant(gemm.input(2))) std::ranges::copy(own->as<float>(), b);
    b += static_cast<std::ptrdiff_t>(outs);
  }
  all.inputs.resize(1);
  all.inputs.push_back(graph.add_constant(all.name + ".weights", std::move(weights)));
  all.inputs.push_back(graph.add_constant(all.name + ".bias", std::move(bias)));
  all.attributes["transB"] = int64_t{1};
}

}  // namespace

Result<int> merge_linears(Graph& graph) {
  Readers readers(graph);
  int merged = 0;
  int64_t stacked_bytes = 0;
  auto count = static_cast<NodeId>(graph.nodes.size());
  for (NodeId n = 0; n < count; ++n) {
    if (graph.node(n).op != "Concat" || graph.node(n).inputs.size() < 2 ||
        graph.value(graph.node(n).outputs[0]).dtype != DType::f32)
      continue;
    const std::vector<NodeId> gemms = stacked(graph, n, readers);
    if (gemms.empty()) continue;
    for (NodeId id : gemms)
      stacked_bytes += graph.shape(graph.node(id).inputs[1]).elements() * 4;
    if (stacked_bytes > kMostStackedBytes) break;
    Node all = graph.node(gemms[0]);
    const int64_t rows = graph.shape(all.outputs[0])[0];
    const int64_t columns = graph.shape(graph.node(n).outputs[0]).elements() / rows;
    add_stack(graph, gemms, all, columns);
    const ValueId result = graph.add_value(all.name + ".all", DType::f32, {rows, columns});
    all.outputs = {result};
    graph.value(result).producer = gemms[0];
    graph.node(gemms[0]) = std::move(all);
    make_reshape(graph, n, result);
    ++merged;
  }
  graph.compact();
  return merged;
}

}  // namespace vultus
