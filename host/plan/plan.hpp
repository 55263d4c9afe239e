#pragma once

#include <string>
#include <vector>

#include "host/graph/graph.hpp"
#include "host/run/device.hpp"

namespace vultus {

struct PlannedPartition {
  Device* device = nullptr;
  PartitionSpec spec;
};

/// Where every node runs, and why.
struct Plan {
  std::vector<Device*> placement;            ///< per node
  std::vector<std::string> reasons;          ///< per node, one sentence
  std::vector<PlannedPartition> partitions;  ///< in execution order
  int64_t transfers =
      0;  ///< tensors that cross the host-GPU border per run, graph inputs and outputs included
  int64_t transfer_bytes = 0;

  double coverage_ops(const Graph& graph, DeviceKind kind) const;   ///< fraction 0..1 of nodes
  double coverage_macs(const Graph& graph, DeviceKind kind) const;  ///< fraction 0..1 of MACs
};

/// Puts each node on the first device that supports it and groups them into as few partitions as
/// the order allows.
Result<Plan> make_plan(const Graph& graph, const std::vector<Device*>& devices,
                       Precision precision);

/// A block of an arena: alive from step `first` to step `last`, both included.
struct Lifetime {
  int64_t bytes = 0;
  int first = 0;
  int last = 0;
};
struct ArenaPlan {
  std::vector<int64_t> offsets;  ///< per lifetime, multiple of the alignment
  int64_t bytes = 0;
};
/// Greedy by size, best fit: no two blocks that live at the same step overlap.
ArenaPlan plan_arena(const std::vector<Lifetime>& lifetimes, int64_t alignment);

}  // namespace vultus
