#include "host/graph/passes/patterns.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

namespace {

NodeId append(Graph& graph, Node node) {
  auto id = static_cast<NodeId>(graph.nodes.size());
  graph.value(node.outputs[0]).producer = id;
  graph.nodes.push_back(std::move(node));
  return id;
}

/// Whether `value` is a constant that adds one number to each of `columns` columns.
bool is_bias(const Graph& graph, ValueId value, int64_t columns) {
  const Tensor* t = graph.constant(value);
  return t && t->dtype() == DType::f32 && t->shape().elements() == columns &&
         t->shape().rank() > 0 && t->shape().back() == columns;
}

/// Add(MatMul(x, constant matrix), constant per column) -> Gemm, between Reshapes where x has more
/// than two axes.
bool to_gemm(Graph& graph, NodeId n, const Readers& readers) {
  const Node add = graph.node(n);
  if (add.op != "Add" || add.inputs.size() != 2 || epilogue_is_set(add)) return false;
  for (size_t side : {size_t{0}, size_t{1}}) {
    const Node* before = producer_of(graph, add.inputs[side]);
    if (!before || before->op != "MatMul" || epilogue_is_set(*before) ||
        before->integer("transB", 0) != 0 || readers.only(add.inputs[side]) != n)
      continue;
    const Node product = *before;
    const ValueId x = product.inputs[0], weights = product.inputs[1], bias = add.inputs[1 - side];
    const Shape in = graph.shape(x), out = graph.shape(add.outputs[0]);
    if (!graph.constant(weights) || graph.shape(weights).rank() != 2 || in.rank() < 2 ||
        in.elements() == 0 || graph.constant(x) || graph.value(x).dynamic_rows ||
        !(out == graph.shape(product.outputs[0])) || !is_bias(graph, bias, out.back()))
      continue;
    const int64_t rows = in.elements() / in.back();
    Node gemm;
    gemm.name = in.rank() == 2 ? add.name : product.name;
    gemm.op = "Gemm";
    gemm.opset = product.opset;
    gemm.inputs = {x, weights, graph.add_constant(add.name + ".bias", [&] {
                     Tensor row = graph.constant(bias)->clone();
                     row.reshape({out.back()});
                     return row;
                   }())};
    graph.node(graph.value(product.outputs[0]).producer) = Node{};
    if (in.rank() == 2) {
      gemm.outputs = add.outputs;
      graph.node(n) = std::move(gemm);
      return true;
    }
    const ValueId flat = graph.add_value(product.name + ".rows", DType::f32, {rows, in.back()});
    Node reshape;
    reshape.name = product.name + ".rows";
    reshape.opset = product.opset;
    reshape.outputs = {flat};
    make_reshape(graph, append(graph, std::move(reshape)), x);
    gemm.inputs[0] = flat;
    gemm.outputs = {graph.add_value(product.name + ".product", DType::f32, {rows, out.back()})};
    const ValueId result = gemm.outputs[0];
    append(graph, std::move(gemm));
    make_reshape(graph, n, result);
    return true;
  }
  return false;
}

/// Whether a Transpose swaps the last two axes and no others.
bool swaps_matrices(const Graph& graph, const Node& node) {
  const int rank = graph.shape(node.inputs[0]).rank();
  if (rank < 2) return false;
  std::vector<int64_t> swapped;
  for (int i = 0; i < rank; ++i)
    swapped.push_back(i);
  std::swap(swapped[static_cast<size_t>(rank - 2)], swapped[static_cast<size_t>(rank - 1)]);
  return rank == 2 ? node.integers("perm", swapped) == swapped : node.integers("perm") == swapped;
}

/// MatMul(x, Transpose(y)) -> MatMul with `transB`, which reads y.
bool transpose_into_product(Graph& graph, Node& product) {
  if (product.op != "MatMul") return false;
  const Node* before = producer_of(graph, product.inputs[1]);
  if (!before || before->op != "Transpose" || !swaps_matrices(graph, *before)) return false;
  product.inputs[1] = before->inputs[0];
  product.attributes["transB"] = int64_t{product.integer("transB", 0) == 0};
  return true;
}

}  // namespace

int recognise_linears(Graph& graph) {
  Readers readers(graph);
  int found = 0;
  auto count = static_cast<NodeId>(graph.nodes.size());
  for (NodeId n = 0; n < count; ++n)
    if (to_gemm(graph, n, readers) || transpose_into_product(graph, graph.node(n))) ++found;
  graph.compact();
  return found;
}

}  // namespace vultus
