#pragma once

#include <vector>

#include "host/graph/graph.hpp"

namespace vultus::test {

/// A random network of element-wise operators on up to three inputs that broadcast to one shape of
/// at most four axes, with one to three outputs: what `fuse_pointwise` makes Pointwise nodes of.
/// Values stay where every operator is defined and no comparison is close.
Graph random_pointwise_network(uint32_t seed, int most_nodes);

}  // namespace vultus::test
