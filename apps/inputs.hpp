#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus::app {

/// A tensor for every input from "NAME=FILE.npy" (NAME may be left out for a network of one input);
/// inputs not named get seeded uniform values in -1..1 when `fill` is set, else an error.
Result<std::map<std::string, Tensor>> read_inputs(const Graph& graph,
                                                  const std::vector<std::string>& files, bool fill);

}  // namespace vultus::app
