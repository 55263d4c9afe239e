#pragma once

#include <vector>

#include "host/core/result.hpp"
#include "host/plan/placement.hpp"
#include "host/run/cost_source.hpp"
#include "host/run/device.hpp"

namespace vultus {

/// What the nodes of a graph cost on the first GPU and on the first CPU of `devices` (nothing where
/// a device cannot run one, or there is none), and its tensors between the two. Nodes are timed in
/// the whole network, with what the device cannot run on the others, at its real shapes; the times
/// are scaled so that together they are what a run takes.
Result<PlacementCosts> placement_costs(const Graph& graph, const std::vector<Device*>& devices,
                                       const CostOptions& options);

}  // namespace vultus
