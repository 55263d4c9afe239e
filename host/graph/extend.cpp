#include "host/graph/extend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

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

Result<std::vector<ValueId>> append(Graph& graph, Node node, const std::vector<ValueId>& inputs,
                                    const std::string& name, size_t outputs) {
  node.name = name;
  node.inputs = inputs;
  node.outputs.clear();
  const auto id = static_cast<NodeId>(graph.nodes.size());
  for (size_t i = 0; i < outputs; ++i) {
    const std::string made = i == 0 ? name : fmt::format("{}.{}", name, i);
    if (graph.find(made) != kNoValue)
      return fail(node, fmt::format("'{}' has a value '{}' already", graph.name, made));
    node.outputs.push_back(graph.add_value(made, DType::f32, {}));
    graph.value(node.outputs.back()).producer = id;
  }
  std::vector<ValueId> results = node.outputs;
  graph.nodes.push_back(std::move(node));
  VULTUS_CHECK(infer(graph, id));
  return results;
}

Result<std::vector<ValueId>> append(Graph& graph, const Graph& part, const std::string& prefix,
                                    const std::map<std::string, ValueId>& given) {
  auto wrong = [&](const std::string& what) {
    return Error{Errc::bad_model,
                 fmt::format("'{}' cannot stand in '{}': {}", part.name, graph.name, what)};
  };
  std::vector<ValueId> at(part.values.size(), kNoValue);
  for (ValueId v : part.inputs) {
    const Value& wanted = part.value(v);
    const auto found = given.find(wanted.name);
    if (found == given.end()) return wrong(fmt::format("input '{}' is not given", wanted.name));
    const Value& has = graph.value(found->second);
    if (has.dtype != wanted.dtype || has.shape != wanted.shape)
      return wrong(fmt::format("input '{}' is given {} {}, takes {} {}", wanted.name,
                               name_of(has.dtype), has.shape.str(), name_of(wanted.dtype),
                               wanted.shape.str()));
    at[static_cast<size_t>(v)] = found->second;
  }
  std::set<std::string, std::less<>> names;
  for (const Value& value : graph.values)
    names.insert(value.name);
  const auto first = static_cast<NodeId>(graph.nodes.size());
  for (size_t v = 0; v < part.values.size(); ++v) {
    if (at[v] != kNoValue) continue;
    Value value = part.values[v];
    value.name = prefix + value.name;
    if (names.contains(value.name))
      return wrong(fmt::format("there is a value '{}' already", value.name));
    if (value.producer >= 0) value.producer += first;
    at[v] = static_cast<ValueId>(graph.values.size());
    graph.values.push_back(std::move(value));
  }
  auto move_to = [&](std::vector<ValueId>& ids) {
    for (ValueId& v : ids)
      if (v != kNoValue) v = at[static_cast<size_t>(v)];
  };
  for (Node node : part.nodes) {
    node.name = prefix + node.name;
    move_to(node.inputs);
    move_to(node.outputs);
    graph.nodes.push_back(std::move(node));
  }
  std::vector<ValueId> outputs = part.outputs;
  move_to(outputs);
  return outputs;
}

}  // namespace vultus
