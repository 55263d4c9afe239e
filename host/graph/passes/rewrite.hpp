#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/graph/graph.hpp"

namespace vultus {

/// Who reads each value, as the graph stands when this is made. Stays true while nodes are only
/// absorbed into their producers.
class Readers {
 public:
  explicit Readers(const Graph& graph);
  /// The one node that reads `value`, once, or -1 when it is read several times, never, or is an
  /// output.
  NodeId only(ValueId value) const;
  /// The same for a node that may read it as several of its inputs.
  NodeId only_node(ValueId value) const;
  /// Whether nobody reads it and it is no output.
  bool unread(ValueId value) const;

 private:
  std::vector<NodeId> only_;
  std::vector<bool> repeated_;  ///< read more than once by the same node
};

/// `producer` computes the first output of `follower` as well, and `follower` is marked for
/// removal (compact drops it).
void absorb(Graph& graph, NodeId producer, NodeId follower);

/// The node that computes `value`, or null for inputs, constants and absent values.
Node* producer_of(Graph& graph, ValueId value);

/// Whether the outputs after the first are absent or unread, so that a pass may ignore them.
bool only_first_output_used(const Node& node, const Readers& readers);

/// The single float of a constant with one element, or the fallback when `value` is absent; nothing
/// when it is computed or of another type.
std::optional<float> scalar_constant(const Graph& graph, ValueId value, float fallback);
/// The integers (i64 or i32) of a constant, or nothing.
std::optional<std::vector<int64_t>> integer_constant(const Graph& graph, ValueId value);

/// A constant with these integers, named after `base`.
ValueId add_integers(Graph& graph, const std::string& base, const std::vector<int64_t>& values);

/// Turns node `n` into a Reshape of `x` to the shape its output has; its other inputs and its
/// attributes go.
void make_reshape(Graph& graph, NodeId n, ValueId x);

/// Pads of a Pad node for every axis, first all begins, then all ends; nothing when they are not
/// constant.
std::optional<std::vector<int64_t>> pads_of(const Graph& graph, const Node& node);

/// Bytes of new weights that one pass may make by stacking: a file may name the same large weights
/// many times over.
inline constexpr int64_t kMostStackedBytes = int64_t{1} << 30;

/// Whether the node has an epilogue that is still free for an activation.
bool takes_activation(const Graph& graph, const Node& node);
/// Whether an activation, a residual, an addend or a second output was fused into the node already.
bool epilogue_is_set(const Node& node);

}  // namespace vultus
