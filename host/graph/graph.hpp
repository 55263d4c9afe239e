#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "host/core/tensor.hpp"

namespace vultus {

using ValueId = int32_t;                 ///< index into Graph::values
using NodeId = int32_t;                  ///< index into Graph::nodes
inline constexpr ValueId kNoValue = -1;  ///< an optional input or output that is absent

/// One tensor of the graph. Shapes are known: symbolic sizes are bound at load.
struct Value {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
  std::shared_ptr<const Tensor>
      constant;          ///< weights and folded results; null when computed at run time
  NodeId producer = -1;  ///< -1 for graph inputs and constants
  /// Axis 0 of `shape` is an upper bound (NonMaxSuppression); the true length is known after
  /// running.
  bool dynamic_rows = false;
};

using Attribute =
    std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>,
                 std::vector<std::string>, std::shared_ptr<const Tensor>>;

struct Node {
  std::string name;  ///< unique in the graph; made up from the first output where the file has none
  std::string op;    ///< ONNX operator type, or one of ours (docs/operators.md)
  int opset = 18;    ///< version of the default domain the file declares
  std::map<std::string, Attribute, std::less<>> attributes;
  std::vector<ValueId> inputs;  ///< kNoValue where an optional one is left out
  std::vector<ValueId> outputs;

  bool has(std::string_view key) const { return attributes.find(key) != attributes.end(); }
  /// Attribute of that type, or the fallback when absent or of another type.
  int64_t integer(std::string_view key, int64_t fallback) const;
  float real(std::string_view key, float fallback) const;
  std::string text(std::string_view key, std::string_view fallback) const;
  std::vector<int64_t> integers(std::string_view key, std::vector<int64_t> fallback = {}) const;
  std::vector<float> reals(std::string_view key) const;
  ValueId input(size_t i) const { return i < inputs.size() ? inputs[i] : kNoValue; }
};

/// A network: values and the nodes that compute them, in topological order.
struct Graph {
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;

  const Value& value(ValueId id) const { return values[static_cast<size_t>(id)]; }
  Value& value(ValueId id) { return values[static_cast<size_t>(id)]; }
  const Node& node(NodeId id) const { return nodes[static_cast<size_t>(id)]; }
  Node& node(NodeId id) { return nodes[static_cast<size_t>(id)]; }
  const Shape& shape(ValueId id) const { return value(id).shape; }
  /// The constant behind an optional input, or null.
  const Tensor* constant(ValueId id) const {
    return id == kNoValue ? nullptr : value(id).constant.get();
  }

  ValueId add_value(std::string value_name, DType dtype, const Shape& shape);
  ValueId add_constant(std::string value_name, Tensor tensor);
  ValueId find(std::string_view value_name) const;  ///< kNoValue when there is none
  bool is_output(ValueId id) const;
  /// For every value the nodes that read it, each once, in order.
  std::vector<std::vector<NodeId>> consumers() const;
  /// Every reader of `from` (and the graph's outputs) reads `to` instead; an output keeps its name.
  void replace_uses(ValueId from, ValueId to);
  /// Drops nodes that no output needs (and those whose `op` was cleared), then values nobody refers
  /// to; restores topological order; renumbers everything.
  void compact();
};

/// Sums over a whole graph, for reports.
int64_t parameters(const Graph& graph);

}  // namespace vultus
