#include "host/graph/passes/rewrite.hpp"

#include <algorithm>
#include <set>

#include "host/graph/fused.hpp"

namespace vultus {

namespace {
constexpr NodeId kNobody = -1;
constexpr NodeId kSeveral = -2;
}  // namespace

Readers::Readers(const Graph& graph)
    : only_(graph.values.size(), kNobody), repeated_(graph.values.size(), false) {
  for (NodeId n = 0; n < static_cast<NodeId>(graph.nodes.size()); ++n)
    for (ValueId v : graph.node(n).inputs) {
      if (v == kNoValue) continue;
      NodeId& only = only_[static_cast<size_t>(v)];
      if (only == n) repeated_[static_cast<size_t>(v)] = true;
      only = only == kNobody || only == n ? n : kSeveral;
    }
  for (ValueId v : graph.outputs)
    only_[static_cast<size_t>(v)] = kSeveral;
}

NodeId Readers::only(ValueId value) const {
  NodeId node = only_node(value);
  return node >= 0 && repeated_[static_cast<size_t>(value)] ? kNobody : node;
}

NodeId Readers::only_node(ValueId value) const {
  // Values made after this was counted have no known reader.
  if (value == kNoValue || static_cast<size_t>(value) >= only_.size()) return kNobody;
  return std::max(only_[static_cast<size_t>(value)], kNobody);
}

bool Readers::unread(ValueId value) const {
  return static_cast<size_t>(value) < only_.size() && only_[static_cast<size_t>(value)] == kNobody;
}

void absorb(Graph& graph, NodeId producer, NodeId follower) {
  ValueId out = graph.node(follower).outputs[0];
  graph.node(producer).outputs[0] = out;
  graph.value(out).producer = producer;
  graph.node(follower) = Node{};
}

Node* producer_of(Graph& graph, ValueId value) {
  if (value == kNoValue || graph.value(value).constant || graph.value(value).producer < 0)
    return nullptr;
  return &graph.node(graph.value(value).producer);
}

bool only_first_output_used(const Node& node, const Readers& readers) {
  return !node.outputs.empty() && node.outputs[0] != kNoValue &&
         std::all_of(node.outputs.begin() + 1, node.outputs.end(),
                     [&](ValueId v) { return v == kNoValue || readers.unread(v); });
}

std::optional<float> scalar_constant(const Graph& graph, ValueId value, float fallback) {
  if (value == kNoValue) return fallback;
  const Tensor* t = graph.constant(value);
  if (!t || t->dtype() != DType::f32 || t->shape().elements() != 1) return std::nullopt;
  return t->as<float>()[0];
}

std::optional<std::vector<int64_t>> integer_constant(const Graph& graph, ValueId value) {
  const Tensor* t = graph.constant(value);
  if (t && t->dtype() == DType::i64)
    return std::vector<int64_t>(t->as<int64_t>().begin(), t->as<int64_t>().end());
  if (t && t->dtype() == DType::i32)
    return std::vector<int64_t>(t->as<int32_t>().begin(), t->as<int32_t>().end());
  return std::nullopt;
}

ValueId add_integers(Graph& graph, const std::string& base, const std::vector<int64_t>& values) {
  return graph.add_constant(base, Tensor::of<int64_t>({static_cast<int64_t>(values.size())},
                                                      std::span<const int64_t>(values)));
}

void make_reshape(Graph& graph, NodeId n, ValueId x) {
  const Shape shape = graph.shape(graph.node(n).outputs[0]);
  ValueId sizes = add_integers(graph, graph.node(n).name + ".shape", {shape.begin(), shape.end()});
  Node& node = graph.node(n);
  node.op = "Reshape";
  node.inputs = {x, sizes};
  node.attributes.clear();
  // A size of 0 means 0, not "as before".
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    node.attributes["allowzero"] = int64_t{1};
}

std::optional<std::vector<int64_t>> pads_of(const Graph& graph, const Node& node) {
  if (node.has("pads")) return node.integers("pads");
  auto pads = integer_constant(graph, node.input(1));
  if (!pads || node.input(3) == kNoValue) return pads;
  auto axes = integer_constant(graph, node.input(3));
  if (!axes || pads->size() != 2 * axes->size()) return std::nullopt;
  int64_t rank = graph.shape(node.input(0)).rank();
  std::vector<int64_t> all(static_cast<size_t>(2 * rank), 0);
  for (size_t i = 0; i < axes->size(); ++i) {
    auto axis = static_cast<size_t>((*axes)[i] < 0 ? (*axes)[i] + rank : (*axes)[i]);
    all[axis] = (*pads)[i];
    all[axis + static_cast<size_t>(rank)] = (*pads)[i + axes->size()];
  }
  return all;
}

bool takes_activation(const Graph& graph, const Node& node) {
  static const std::set<std::string, std::less<>> kOps{
      "Conv", "Gemm", "Add", "BatchNormalization", "InstanceNormalization", "ConvTranspose"};
  return kOps.contains(node.op) && epilogue_of(node).kind == Activation::none &&
         graph.value(node.outputs[0]).dtype == DType::f32;
}

bool epilogue_is_set(const Node& node) {
  bool added = node.op == "Conv" && (node.input(3) != kNoValue || node.input(4) != kNoValue);
  return added || has_second_output(node) || epilogue_of(node).kind != Activation::none;
}

}  // namespace vultus
