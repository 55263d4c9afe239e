#pragma once

#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// What a Slice takes of one axis.
struct AxisRange {
  int64_t start = 0, step = 1, count = 0;
};
/// For every axis of the input of a Slice with constant bounds.
Result<std::vector<AxisRange>> slice_ranges(const Graph& graph, const Node& node);

}  // namespace vultus
