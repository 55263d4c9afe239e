#pragma once

#include <map>
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

/// Adds a node at the end, which reads `inputs`; its results are called `name`, `name`.1, ...
/// Errc::bad_model when a name is taken or the node does not take what it is given.
Result<std::vector<ValueId>> append(Graph& graph, Node node, const std::vector<ValueId>& inputs,
                                    const std::string& name, size_t outputs = 1);
/// Adds another graph at the end, whose inputs are values of this one (`given`, by its names) and
/// whose names get `prefix`; constants are shared. Its outputs, in order. Errc::bad_model when an
/// input is not given or is of another type or shape, or when a name is taken.
Result<std::vector<ValueId>> append(Graph& graph, const Graph& part, const std::string& prefix,
                                    const std::map<std::string, ValueId>& given);

}  // namespace vultus
