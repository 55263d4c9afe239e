#pragma once

#include <optional>
#include <vector>

#include "host/graph/graph.hpp"
#include "host/ops/pointwise_program.hpp"

namespace vultus {

/// Whether a node computes every element of its first output from the elements of its inputs at the
/// same place (broadcast), in a way that a Pointwise node can: f32 and boolean arithmetic,
/// comparisons, choices, cheap functions, a normalisation with constants.
bool is_pointwise(const Graph& graph, const Node& node);
/// A Reshape that a group may look through to a smaller operand.
bool is_view(const Graph& graph, const Node& node);

/// A Pointwise node in the making.
struct PointwiseBody {
  /// An input: a value, seen under another shape where a view lay between; or a constant made here.
  struct Input {
    ValueId value = kNoValue;
    Shape shape;
    std::shared_ptr<const Tensor> made;
  };
  std::vector<Input> inputs;
  PointwiseProgram program;
};

/// The members' computation of `results` (values of members, all of `shape`) as one program;
/// nothing when it has more parts than a program may have.
std::optional<PointwiseBody> emit_pointwise(const Graph& graph, const std::vector<bool>& member,
                                            const std::vector<ValueId>& results,
                                            const Shape& shape);

}  // namespace vultus
