#pragma once

#include <cstdint>
#include <vector>

#include "host/graph/graph.hpp"
#include "host/plan/placement.hpp"
#include "host/run/device.hpp"

namespace vultus {

/// A guess at the time of every node in nanoseconds, until it is measured: its arithmetic at half
/// of what the device reaches at best or its bytes at the speed of a copy, whichever takes longer,
/// and a dispatch.
std::vector<int64_t> modelled_times(const Graph& graph, const DeviceSpeed& speed,
                                    Precision precision);

/// Speed of tensors between host memory and a GPU.
struct TransferSpeed {
  double up_latency_us = 0, up_gb_per_s = 1;
  double down_latency_us = 0, down_gb_per_s = 1;
  double host_gb_per_s = 1;  ///< of a copy that a partition on the CPU makes
};
/// Until it is measured: 8 GB/s and half a submission each way, the order of a PCIe 3 link.
TransferSpeed modelled_transfers(const DeviceSpeed& gpu);
/// By ValueId; 0 for constants. What a node computed, or reads, on the CPU is copied there too.
std::vector<TransferCost> transfer_costs(const Graph& graph, const TransferSpeed& speed);

}  // namespace vultus
