#include <algorithm>
#include <functional>
#include <set>
#include <span>

#include "host/graph/fused.hpp"
#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/rewrite.hpp"

// Two dispatches of half the work cost more than one: small convolutions of one picture become one.

namespace vultus {

namespace {

/// A convolution whose outputs are sums over all of its input, with constant weights.
bool is_dense(const Graph& graph, const Node& node) {
  return node.op == "Conv" && node.integer("group", 1) == 1 && graph.constant(node.input(1)) &&
         (node.input(2) == kNoValue || graph.constant(node.input(2))) &&
         node.input(5) == kNoValue && graph.shape(node.outputs[0]).rank() == 4;
}

/// With nothing but bias and activation behind the sums, and no second output.
bool is_plain(const Graph& graph, const Node& node) {
  return is_dense(graph, node) && node.input(3) == kNoValue && node.input(4) == kNoValue &&
         !has_second_output(node);
}

bool same_window(const Graph& graph, const Node& a, const Node& b) {
  auto alike = [&](std::string_view key, const std::vector<int64_t>& fallback) {
    return a.integers(key, fallback) == b.integers(key, fallback);
  };
  const Shape &v = graph.shape(a.inputs[1]), &w = graph.shape(b.inputs[1]);
  return v[2] == w[2] && v[3] == w[3] && alike("strides", {1, 1}) && alike("dilations", {1, 1}) &&
         alike("pads", {0, 0, 0, 0}) &&
         a.text("auto_pad", "NOTSET") == b.text("auto_pad", "NOTSET");
}

/// Same input, window and activation, so that one convolution can have the outputs of both.
bool are_siblings(const Graph& graph, const Node& a, const Node& b) {
  return is_plain(graph, a) && is_plain(graph, b) && a.inputs[0] == b.inputs[0] &&
         same_window(graph, a, b) && epilogue_of(a) == epilogue_of(b);
}

int64_t weight_bytes(const Graph& graph, const Node& node) {
  return graph.shape(node.inputs[1]).elements() * 4;
}

std::span<const float> floats(const Graph& graph, ValueId value) {
  const Tensor* t = graph.constant(value);
  return t ? t->as<float>() : std::span<const float>();
}

/// The first of `nodes` gets the outputs of all, one after the other, as a new value.
ValueId stack(Graph& graph, const std::vector<NodeId>& nodes) {
  const Node& first = graph.node(nodes[0]);
  Shape weights_shape = graph.shape(first.inputs[1]), out = graph.shape(first.outputs[0]);
  out[1] = 0;
  for (NodeId id : nodes)
    out[1] += graph.shape(graph.node(id).outputs[0])[1];
  weights_shape[0] = out[1];
  Tensor weights(DType::f32, weights_shape), bias(DType::f32, {out[1]});
  std::ranges::fill(bias.as<float>(), 0.0f);
  auto w = weights.as<float>().begin(), b = bias.as<float>().begin();
  for (NodeId id : nodes) {
    const Node& node = graph.node(id);
    w = std::ranges::copy(floats(graph, node.inputs[1]), w).out;
    std::ranges::copy(floats(graph, node.input(2)), b);
    b += static_cast<std::ptrdiff_t>(graph.shape(node.outputs[0])[1]);
  }
  const std::string name = first.name + ".stacked";
  ValueId kernel = graph.add_constant(name + ".weights", std::move(weights));
  ValueId added = graph.add_constant(name + ".bias", std::move(bias));
  ValueId result = graph.add_value(name, DType::f32, out);
  Node& all = graph.node(nodes[0]);
  all.inputs = {all.inputs[0], kernel, added};
  all.outputs = {result};
  graph.value(result).producer = nodes[0];
  return result;
}

/// Whether all that reads a value only moves its elements, so that a part of a wider tensor serves.
bool is_only_moved(const Graph& graph, const std::vector<NodeId>& readers) {
  static const std::set<std::string, std::less<>> kMoving{"Transpose", "Reshape",   "Flatten",
                                                          "Squeeze",   "Unsqueeze", "Slice"};
  return !readers.empty() && std::ranges::all_of(readers, [&](NodeId id) {
    return kMoving.contains(graph.node(id).op);
  });
}

void add_slice(Graph& graph, ValueId from, ValueId to, int64_t first, int opset) {
  const int64_t end = first + graph.shape(to)[1];
  Node slice;
  slice.op = "Slice";
  slice.name = graph.value(to).name + ".slice";
  slice.opset = std::max(opset, 13);
  slice.inputs = {from, add_integers(graph, slice.name + ".starts", {first}),
                  add_integers(graph, slice.name + ".ends", {end}),
                  add_integers(graph, slice.name + ".axes", {1})};
  slice.outputs = {to};
  graph.value(to).producer = static_cast<NodeId>(graph.nodes.size());
  graph.nodes.push_back(std::move(slice));
}

/// Detector heads: convolutions of one map whose results are only reshaped.
int merge_heads(Graph& graph, int64_t& budget) {
  const auto readers = graph.consumers();
  const auto count = static_cast<NodeId>(graph.nodes.size());
  int merged = 0;
  auto is_head = [&](NodeId id) {
    const Node& node = graph.node(id);
    return is_plain(graph, node) && !graph.is_output(node.outputs[0]) &&
           is_only_moved(graph, readers[static_cast<size_t>(node.outputs[0])]);
  };
  for (NodeId first = 0; first < count; ++first) {
    if (graph.node(first).op != "Conv" ||
        static_cast<size_t>(graph.node(first).outputs[0]) >= readers.size() || !is_head(first))
      continue;
    std::vector<NodeId> heads{first};
    for (NodeId id : readers[static_cast<size_t>(graph.node(first).inputs[0])])
      if (id > first && graph.node(id).op == "Conv" && is_head(id) &&
          are_siblings(graph, graph.node(first), graph.node(id)))
        heads.push_back(id);
    if (heads.size() < 2) continue;
    for (NodeId id : heads)
      budget -= weight_bytes(graph, graph.node(id));
    if (budget < 0) break;
    std::vector<ValueId> parts;
    for (NodeId id : heads)
      parts.push_back(graph.node(id).outputs[0]);
    const int opset = graph.node(first).opset;
    ValueId all = stack(graph, heads);
    for (size_t i = 1; i < heads.size(); ++i)
      graph.node(heads[i]) = Node{};
    int64_t at = 0;
    for (ValueId part : parts) {
      add_slice(graph, all, part, at, opset);
      at += graph.shape(part)[1];
    }
    ++merged;
  }
  return merged;
}

/// The weights of two convolutions whose results are added, side by side along the inputs.
Tensor beside(const Graph& graph, ValueId left, ValueId right) {
  Shape shape = graph.shape(left);
  const int64_t outputs = shape[0];
  shape[1] += graph.shape(right)[1];
  Tensor all(DType::f32, shape);
  auto to = all.as<float>().begin();
  auto l = floats(graph, left), r = floats(graph, right);
  const size_t a = l.size() / static_cast<size_t>(outputs),
               b = r.size() / static_cast<size_t>(outputs);
  for (size_t o = 0; o < static_cast<size_t>(outputs); ++o) {
    to = std::ranges::copy(l.subspan(o * a, a), to).out;
    to = std::ranges::copy(r.subspan(o * b, b), to).out;
  }
  return all;
}

/// Convolution `n` adds the result of a convolution that nobody else reads, and both read siblings
/// that nobody else reads: one of each.
bool merge_branch(Graph& graph, NodeId n, const Readers& readers, int64_t& budget) {
  const Node& sum = graph.node(n);
  if (!is_dense(graph, sum)) return false;
  const Node* other = producer_of(graph, sum.input(3));
  if (!other || !is_dense(graph, *other) || has_second_output(*other) ||
      epilogue_of(*other).kind != Activation::none || other->input(4) != kNoValue ||
      other->outputs[0] != sum.input(3) || readers.only(sum.input(3)) != n ||
      !same_window(graph, sum, *other))
    return false;
  const NodeId m = graph.value(sum.input(3)).producer;
  const Node *left = producer_of(graph, other->inputs[0]),
             *right = producer_of(graph, sum.inputs[0]);
  if (!left || !right || left == right || !are_siblings(graph, *left, *right) ||
      readers.only(other->inputs[0]) != m || readers.only(sum.inputs[0]) != n)
    return false;
  for (const Node* node : {left, right, other, &sum})
    budget -= weight_bytes(graph, *node);
  if (budget < 0) return false;
  const NodeId first = graph.value(other->inputs[0]).producer;
  const NodeId second = graph.value(sum.inputs[0]).producer;
  Tensor weights = beside(graph, other->inputs[1], sum.inputs[1]);
  Tensor bias(DType::f32, {weights.shape()[0]});
  std::ranges::fill(bias.as<float>(), 0.0f);
  for (ValueId one : {other->input(2), sum.input(2)})
    if (auto values = floats(graph, one); !values.empty())
      std::ranges::transform(values, bias.as<float>(), bias.as<float>().begin(), std::plus<>());
  const ValueId residual = other->input(3);
  const std::string name = sum.name + ".beside";
  std::vector<ValueId> inputs = sum.inputs;
  inputs[0] = stack(graph, {first, second});
  inputs[1] = graph.add_constant(name + ".weights", std::move(weights));
  inputs[2] = graph.add_constant(name + ".bias", std::move(bias));
  inputs[3] = residual;
  if (inputs.size() == 4 && residual == kNoValue) inputs.pop_back();
  graph.node(n).inputs = std::move(inputs);
  graph.node(second) = Node{};
  graph.node(m) = Node{};
  return true;
}

}  // namespace

Result<int> merge_convolutions(Graph& graph) {
  Readers readers(graph);
  int64_t budget = kMostStackedBytes;
  int merged = 0;
  // What a merge makes has no known readers, so that nothing is merged twice.
  for (NodeId n = 0; n < static_cast<NodeId>(graph.nodes.size()); ++n)
    if (graph.node(n).op == "Conv" && merge_branch(graph, n, readers, budget)) ++merged;
  graph.compact();
  merged += merge_heads(graph, budget);
  graph.compact();
  return merged;
}

}  // namespace vultus
