#include "host/graph/graph.hpp"

#include <algorithm>

namespace vultus {

namespace {

template <class T>
const T* attribute(const Node& node, std::string_view key) {
  auto it = node.attributes.find(key);
  return it == node.attributes.end() ? nullptr : std::get_if<T>(&it->second);
}

/// Nodes that the outputs need, depth first without recursion, so that a chain of any length is
/// fine.
std::vector<NodeId> needed_in_order(const Graph& graph) {
  enum : uint8_t { unseen, open, done };
  std::vector<uint8_t> state(graph.nodes.size(), unseen);
  std::vector<NodeId> order, stack;
  auto visit = [&](ValueId v) {
    if (v == kNoValue || graph.value(v).constant) return;
    NodeId producer = graph.value(v).producer;
    if (producer >= 0 && state[static_cast<size_t>(producer)] == unseen) stack.push_back(producer);
  };
  // Walking the old order first keeps it wherever it is still valid.
  std::vector<uint8_t> needed(graph.nodes.size(), 0);
  std::vector<NodeId> todo;
  auto need = [&](ValueId v) {
    if (v == kNoValue || graph.value(v).constant) return;
    NodeId p = graph.value(v).producer;
    if (p >= 0 && needed[static_cast<size_t>(p)] == 0) {
      needed[static_cast<size_t>(p)] = 1;
      todo.push_back(p);
    }
  };
  for (ValueId v : graph.outputs)
    need(v);
  while (!todo.empty()) {
    NodeId n = todo.back();
    todo.pop_back();
    for (ValueId v : graph.node(n).inputs)
      need(v);
  }
  for (NodeId start = 0; start < static_cast<NodeId>(graph.nodes.size()); ++start) {
    if (needed[static_cast<size_t>(start)] == 0 || state[static_cast<size_t>(start)] != unseen)
      continue;
    stack.push_back(start);
    while (!stack.empty()) {
      NodeId n = stack.back();
      auto& s = state[static_cast<size_t>(n)];
      if (s == unseen) {
        s = open;
        for (ValueId v : graph.node(n).inputs)
          visit(v);
      } else {
        stack.pop_back();
        if (s == open) order.push_back(n);
        s = done;
      }
    }
  }
  return order;
}

}  // namespace

int64_t Node::integer(std::string_view key, int64_t fallback) const {
  auto* v = attribute<int64_t>(*this, key);
  return v ? *v : fallback;
}

float Node::real(std::string_view key, float fallback) const {
  auto* v = attribute<float>(*this, key);
  return v ? *v : fallback;
}

std::string Node::text(std::string_view key, std::string_view fallback) const {
  auto* v = attribute<std::string>(*this, key);
  return v ? *v : std::string(fallback);
}

std::vector<int64_t> Node::integers(std::string_view key, std::vector<int64_t> fallback) const {
  auto* v = attribute<std::vector<int64_t>>(*this, key);
  return v ? *v : std::move(fallback);
}

std::vector<float> Node::reals(std::string_view key) const {
  auto* v = attribute<std::vector<float>>(*this, key);
  return v ? *v : std::vector<float>{};
}

ValueId Graph::add_value(std::string value_name, DType dtype, const Shape& shape) {
  values.push_back({std::move(value_name), dtype, shape, nullptr, -1, false});
  return static_cast<ValueId>(values.size() - 1);
}

ValueId Graph::add_constant(std::string value_name, Tensor tensor) {
  ValueId id = add_value(std::move(value_name), tensor.dtype(), tensor.shape());
  value(id).constant = std::make_shared<const Tensor>(std::move(tensor));
  return id;
}

ValueId Graph::find(std::string_view value_name) const {
  auto it = std::find_if(values.begin(), values.end(),
                         [&](const Value& v) { return v.name == value_name; });
  return it == values.end() ? kNoValue : static_cast<ValueId>(it - values.begin());
}

bool Graph::is_output(ValueId id) const {
  return std::find(outputs.begin(), outputs.end(), id) != outputs.end();
}

std::vector<std::vector<NodeId>> Graph::consumers() const {
  std::vector<std::vector<NodeId>> readers(values.size());
  for (NodeId n = 0; n < static_cast<NodeId>(nodes.size()); ++n)
    for (ValueId v : node(n).inputs) {
      if (v == kNoValue) continue;
      auto& list = readers[static_cast<size_t>(v)];
      if (list.empty() || list.back() != n) list.push_back(n);
    }
  return readers;
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& n : nodes)
    std::replace(n.inputs.begin(), n.inputs.end(), from, to);
  if (is_output(from)) {
    std::replace(outputs.begin(), outputs.end(), from, to);
    std::swap(value(from).name, value(to).name);
  }
}

void Graph::compact() {
  for (NodeId n = 0; n < static_cast<NodeId>(nodes.size()); ++n)
    if (node(n).op.empty())
      for (ValueId v : node(n).outputs)
        if (v != kNoValue && value(v).producer == n) value(v).producer = -1;
  for (NodeId n = 0; n < static_cast<NodeId>(nodes.size()); ++n)
    if (!node(n).op.empty())
      for (ValueId v : node(n).outputs)
        if (v != kNoValue) value(v).producer = n;

  std::vector<Node> kept;
  for (NodeId n : needed_in_order(*this))
    kept.push_back(std::move(node(n)));
  nodes = std::move(kept);

  std::vector<uint8_t> used(values.size(), 0);
  auto use = [&](ValueId v) {
    if (v != kNoValue) used[static_cast<size_t>(v)] = 1;
  };
  for (const Node& n : nodes) {
    for (ValueId v : n.inputs)
      use(v);
    for (ValueId v : n.outputs)
      use(v);
  }
  for (ValueId v : inputs)
    use(v);
  for (ValueId v : outputs)
    use(v);

  std::vector<ValueId> renumbered(values.size(), kNoValue);
  std::vector<Value> remaining;
  for (size_t v = 0; v < values.size(); ++v) {
    if (used[v] == 0) continue;
    renumbered[v] = static_cast<ValueId>(remaining.size());
    remaining.push_back(std::move(values[v]));
    remaining.back().producer = -1;
  }
  values = std::move(remaining);
  auto renumber = [&](std::vector<ValueId>& ids) {
    for (ValueId& v : ids)
      if (v != kNoValue) v = renumbered[static_cast<size_t>(v)];
  };
  for (NodeId n = 0; n < static_cast<NodeId>(nodes.size()); ++n) {
    renumber(node(n).inputs);
    renumber(node(n).outputs);
    for (ValueId v : node(n).outputs)
      if (v != kNoValue) value(v).producer = n;
  }
  renumber(inputs);
  renumber(outputs);
}

int64_t parameters(const Graph& graph) {
  int64_t sum = 0;
  for (const Value& v : graph.values)
    if (v.constant && v.dtype == DType::f32) sum += v.shape.elements();
  return sum;
}

}  // namespace vultus
