#include "host/graph/fused.hpp"
#include "host/graph/passes/affine.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

namespace {

bool takes_second_output(const Node& node) {
  return (node.op == "Conv" || node.op == "MaxPool" || node.op == "AveragePool") &&
         node.outputs.size() == 1;
}

std::vector<float> rounded(const std::vector<double>& values) {
  std::vector<float> floats;
  for (double v : values)
    floats.push_back(static_cast<float>(v));
  return floats;
}

}  // namespace

Result<int> fuse_second_outputs(Graph& graph) {
  Readers readers(graph);
  int fused = 0;
  for (Node& norm : graph.nodes) {
    if (norm.op != "BatchNormalization" || !only_first_output_used(norm, readers)) continue;
    ValueId x = norm.inputs[0], z = norm.outputs[0];
    Node* producer = producer_of(graph, x);
    const Value& value = graph.value(x);
    if (!producer || !takes_second_output(*producer) || value.shape.rank() != 4 ||
        value.shape.elements() == 0 || value.dynamic_rows || value.dtype != DType::f32)
      continue;
    auto affine = batch_norm_affine(graph, norm, value.shape[1]);
    if (!affine) continue;
    set_second_output(*producer,
                      {rounded(affine->scale), rounded(affine->shift), epilogue_of(norm)});
    producer->outputs.push_back(z);
    graph.value(z).producer = value.producer;
    norm = Node{};
    ++fused;
  }
  graph.compact();
  return fused;
}

}  // namespace vultus
