#pragma once

#include <vector>

#include "host/graph/graph.hpp"
#include "host/run/device.hpp"

namespace vultus {

struct PlannedPartition {
  Device* device = nullptr;
  PartitionSpec spec;
};

/// Where a node runs and in which precision it is stored there.
struct Place {
  Device* device = nullptr;
  Precision precision = Precision::fp32;
  bool operator==(const Place&) const = default;
};

/// Groups nodes into as few partitions as the order allows, one place each; `places` by NodeId. In
/// an order in which they can run, with what crosses their borders.
std::vector<PlannedPartition> partition(const Graph& graph, const std::vector<Place>& places);

}  // namespace vultus
