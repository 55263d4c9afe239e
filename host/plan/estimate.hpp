#pragma once

#include <vector>

#include "host/plan/partition.hpp"
#include "host/plan/placement.hpp"

namespace vultus {

/// When the partitions of a plan would run, in milliseconds since the run begins.
struct Estimate {
  struct Span {
    double start_ms = 0;
    double copies_ms = 0;  ///< of `ms`: inputs up before, outputs down after; 0 on the CPU
    double ms = 0;
  };
  std::vector<Span> partitions;
  double ms = 0;         ///< until the last output is in host memory
  double gpu_ms = 0;     ///< nodes on the GPU
  double cpu_ms = 0;     ///< nodes on the CPU
  double copies_ms = 0;  ///< between the two
};

/// As host/run/executor.hpp runs them: each device one partition at a time, in order, the two side
/// by side; a partition starts when those are done whose results it reads. Costs of nodes on the
/// device that they are on must be there.
Estimate estimate(const Graph& graph, const std::vector<PlannedPartition>& partitions,
                  const PlacementCosts& costs);

}  // namespace vultus
