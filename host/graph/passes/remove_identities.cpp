#include <algorithm>
#include <set>

#include "host/graph/passes/passes.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

namespace {

bool all_equal(const Tensor& tensor, float wanted) {
  auto values = tensor.as<float>();
  return std::all_of(values.begin(), values.end(), [&](float v) { return v == wanted; });
}

/// x * 1, x + 0, x / 1, x - 0, and the first two the other way round. Returns the x.
ValueId neutral_operand(const Graph& graph, const Node& node) {
  bool sum = node.op == "Add" || node.op == "Sub", product = node.op == "Mul" || node.op == "Div";
  if ((!sum && !product) || epilogue_is_set(node)) return kNoValue;
  size_t sides = node.op == "Add" || node.op == "Mul" ? 2 : 1;
  for (size_t other = 0; other < sides; ++other) {
    const Tensor* c = graph.constant(node.input(1 - other));
    if (c && c->dtype() == DType::f32 && all_equal(*c, sum ? 0.0f : 1.0f)) return node.input(other);
  }
  return kNoValue;
}

bool is_identity_permutation(const Node& node, int rank) {
  std::vector<int64_t> perm = node.integers("perm");
  if (perm.empty()) return rank < 2;
  return std::is_sorted(perm.begin(), perm.end());
}

bool moves_nothing(const Graph& graph, const Node& node) {
  if (auto pads = node.op == "Pad" ? pads_of(graph, node) : std::nullopt)
    return std::all_of(pads->begin(), pads->end(), [](int64_t p) { return p == 0; });
  if (node.op == "Slice") {  // equal sizes: only a reversal could still move something
    auto steps =
        node.input(4) == kNoValue ? std::vector<int64_t>{} : integer_constant(graph, node.input(4));
    return steps && std::all_of(steps->begin(), steps->end(), [](int64_t s) { return s == 1; });
  }
  return false;
}

bool is_inference_dropout(const Graph& graph, const Node& node) {
  if (node.input(2) == kNoValue) return true;
  const Tensor* training = graph.constant(node.input(2));
  return training && training->dtype() == DType::boolean && training->shape().elements() == 1 &&
         !training->as<bool>()[0];
}

/// What the node's first output equals, or kNoValue.
ValueId same_as(const Graph& graph, const Node& node) {
  ValueId x = node.input(0);
  if (node.op == "Add" || node.op == "Sub" || node.op == "Mul" || node.op == "Div")
    x = neutral_operand(graph, node);
  if (x == kNoValue) return kNoValue;
  const Value& in = graph.value(x);
  const Value& out = graph.value(node.outputs[0]);
  if (in.dtype != out.dtype || !(in.shape == out.shape) || in.dynamic_rows) return kNoValue;
  static const std::set<std::string, std::less<>> kSameWhenShapeIs{
      "Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze",
      "Expand",   "Tile", "Add",     "Sub",     "Mul",     "Div"};
  bool same = kSameWhenShapeIs.contains(node.op) || moves_nothing(graph, node) ||
              (node.op == "Dropout" && is_inference_dropout(graph, node)) ||
              (node.op == "Concat" && node.inputs.size() == 1) ||
              (node.op == "Transpose" && is_identity_permutation(node, in.shape.rank()));
  return same ? x : kNoValue;
}

/// Reads around every node that changes nothing, all at once: one by one would be quadratic.
class Bypass {
 public:
  explicit Bypass(Graph& graph)
      : graph_(graph), readers_(graph), to_(graph.values.size()), is_output_(graph.values.size()) {
    for (size_t v = 0; v < to_.size(); ++v)
      to_[v] = static_cast<ValueId>(v);
    for (ValueId v : graph.outputs)
      is_output_[static_cast<size_t>(v)] = true;
  }

  int run() {
    int removed = 0;
    for (Node& node : graph_.nodes) {
      for (ValueId& v : node.inputs)
        if (v != kNoValue) v = to_[static_cast<size_t>(v)];
      if (!only_first_output_used(node, readers_)) continue;
      if (remove(node)) ++removed;
    }
    for (ValueId& v : graph_.outputs)
      v = to_[static_cast<size_t>(v)];
    return removed;
  }

 private:
  bool remove(Node& node) {
    ValueId same = same_as(graph_, node);
    ValueId out = node.outputs[0];
    if (same == kNoValue) return false;
    if (is_output_[static_cast<size_t>(out)]) {
      // An output takes its name along; a value that has a name to keep cannot carry a second one.
      const Value& target = graph_.value(same);
      if (target.producer < 0 || target.constant || is_output_[static_cast<size_t>(same)])
        return false;
      std::swap(graph_.value(same).name, graph_.value(out).name);
      is_output_[static_cast<size_t>(same)] = true;
    }
    to_[static_cast<size_t>(out)] = same;
    return true;
  }

  Graph& graph_;
  Readers readers_;
  std::vector<ValueId> to_;
  std::vector<bool> is_output_;
};

/// Reshape(Reshape(x)) -> Reshape(x).
int merge_reshapes(Graph& graph) {
  int merged = 0;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    Node& node = graph.nodes[n];
    if (node.op != "Reshape") continue;
    const Node* before = producer_of(graph, node.input(0));
    if (!before || before->op != "Reshape") continue;
    make_reshape(graph, static_cast<NodeId>(n), before->input(0));
    ++merged;
  }
  return merged;
}

/// Expand before an operator that broadcasts anyway.
int drop_expands(Graph& graph) {
  static const std::set<std::string, std::less<>> kBroadcasting{"Add", "Sub",   "Mul", "Div",
                                                                "Pow", "Where", "Max", "Min"};
  int dropped = 0;
  for (Node& node : graph.nodes) {
    if (!kBroadcasting.contains(node.op)) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const Node* before = producer_of(graph, node.inputs[i]);
      if (!before || before->op != "Expand") continue;
      Shape shape = graph.shape(before->input(0));
      for (size_t j = 0; j < node.inputs.size(); ++j)
        if (j != i) shape = broadcast(shape, graph.shape(node.inputs[j])).value_or(Shape{0});
      if (!(shape == graph.shape(node.outputs[0]))) continue;
      node.inputs[i] = before->input(0);
      ++dropped;
    }
  }
  return dropped;
}

}  // namespace

Result<int> remove_identities(Graph& graph) {
  int changed = drop_expands(graph);
  changed += merge_reshapes(graph);
  changed += Bypass(graph).run();
  graph.compact();
  return changed;
}

}  // namespace vultus
