#include "host/graph/extend.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/ops/op.hpp"

namespace vultus {

namespace {

Result<void> infer(Graph& graph, NodeId node) {
  const Op* op = find_op(graph.node(node).op);
  if (!op) return fail(graph.node(node), "unknown operator");
  Infer infer(graph, node);
  return op->infer(infer);
}

}  // namespace

Result<void> put_before(Graph& graph, std::string_view input, Node node,
                        const std::vector<GraphInput>& inputs) {
  const auto at =
      std::ranges::find_if(graph.inputs, [&](ValueId v) { return graph.value(v).name == input; });
  if (at == graph.inputs.end() || graph.is_output(*at))
    return fail(node, fmt::format("cannot stand before input '{}' of '{}'", input, graph.name));
  const ValueId made = *at;
  const Value wanted = graph.value(made);
  auto place = graph.inputs.erase(at);
  for (const GraphInput& given : inputs) {
    if (graph.find(given.name) != kNoValue)
      return fail(node, fmt::format("'{}' has a value '{}' already", graph.name, given.name));
    node.inputs.push_back(graph.add_value(given.name, given.dtype, given.shape));
    place = graph.inputs.insert(place, node.inputs.back()) + 1;
  }
  node.outputs = {made};
  graph.nodes.insert(graph.nodes.begin(), std::move(node));
  for (Value& value : graph.values)
    if (value.producer >= 0) ++value.producer;
  graph.value(made).producer = 0;
  VULTUS_CHECK(infer(graph, 0));
  const Value& found = graph.value(made);
  if (found.dtype != wanted.dtype || found.shape != wanted.shape)
    return fail(graph.node(0), fmt::format("makes {} {}, '{}' of '{}' takes {} {}",
                                           name_of(found.dtype), found.shape.str(), input,
                                           graph.name, name_of(wanted.dtype), wanted.shape.str()));
  return {};
}

Result<void> put_behind(Graph& graph, const std::vector<ValueId>& outputs, Node node,
                        std::string name) {
  if (graph.find(name) != kNoValue)
    return fail(node, fmt::format("'{}' has a value '{}' already", graph.name, name));
  node.inputs = outputs;
  node.outputs = {graph.add_value(std::move(name), DType::f32, {})};
  for (ValueId v : outputs)
    std::erase(graph.outputs, v);
  graph.outputs.insert(graph.outputs.begin(), node.outputs[0]);
  const auto id = static_cast<NodeId>(graph.nodes.size());
  graph.value(node.outputs[0]).producer = id;
  graph.nodes.push_back(std::move(node));
  return infer(graph, id);
}

}  // namespace vultus
