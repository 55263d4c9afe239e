#pragma once

#include <vector>

#include "host/graph/graph.hpp"
#include "host/run/device.hpp"

namespace vultus {

struct PlannedPartition {
  Device* device = nullptr;
  PartitionSpec spec;
};

/// Groups nodes into as few partitions as the order allows, one device each; `placement` by NodeId.
/// In an order in which they can run, with what crosses their borders.
std::vector<PlannedPartition> partition(const Graph& graph, const std::vector<Device*>& placement);

}  // namespace vultus
