#pragma once

#include <optional>
#include <vector>

#include "host/graph/graph.hpp"

namespace vultus {

/// y = x * scale + shift for every channel, in double so that folding rounds once.
struct Affine {
  std::vector<double> scale;
  std::vector<double> shift;
};

/// What a BatchNormalization with constant parameters computes; nothing for training mode, other
/// types or a variance that is not positive.
std::optional<Affine> batch_norm_affine(const Graph& graph, const Node& node, int64_t channels);

}  // namespace vultus
