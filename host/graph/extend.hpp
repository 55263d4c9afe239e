#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// A value that a graph is given from outside.
struct GraphInput {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;
};

/// Puts `node` before the graph: what it makes is what was given for `input`, and `inputs` are what
/// it reads and what the graph is given in the place of `input`. `node` comes without inputs and
/// outputs. Errc::bad_model when the graph has no such input, when names are taken, or when the
/// node makes something else than the input's type and shape.
Result<void> put_before(Graph& graph, std::string_view input, Node node,
                        const std::vector<GraphInput>& inputs);

/// Puts `node` behind the graph: it reads `outputs`, which are outputs no longer, and its result
/// `name` is the graph's first output.
Result<void> put_behind(Graph& graph, const std::vector<ValueId>& outputs, Node node,
                        std::string name);

}  // namespace vultus
