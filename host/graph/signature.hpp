#pragma once

#include <cstdint>

#include "host/graph/graph.hpp"

namespace vultus {

/// What decides how long a network takes: operators, attributes, connections, types and shapes.
/// Names and weights do not count.
uint64_t signature(const Graph& graph);

}  // namespace vultus
