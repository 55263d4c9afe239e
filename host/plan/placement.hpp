#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/graph/graph.hpp"

namespace vultus {

/// Time of a node on each device in nanoseconds; nothing where the device cannot run it, or may not
/// (a pin, a forbidden device).
struct NodeCost {
  std::optional<int64_t> gpu_ns;
  std::optional<int64_t> cpu_ns;
};

/// Time to move a tensor in nanoseconds, latency included. Paid once per direction however many
/// nodes read it there.
struct TransferCost {
  int64_t up_ns = 0;    ///< host to GPU
  int64_t down_ns = 0;  ///< GPU to host
};

/// Everything that decides where nodes run.
struct PlacementCosts {
  std::vector<NodeCost> nodes;          ///< by NodeId
  std::vector<TransferCost> transfers;  ///< by ValueId; of constants: unused
};

struct Placement {
  std::vector<bool> on_gpu;  ///< by NodeId
  int64_t cost_ns = 0;       ///< nodes and transfers, one after the other
};

/// The assignment whose nodes and transfers together take least time, found exactly as a minimum
/// s-t cut: graph inputs and outputs lie in host memory. Of equally cheap ones the one with fewest
/// nodes on the GPU. Nothing when some node runs on neither device.
std::optional<Placement> cheapest_placement(const Graph& graph, const PlacementCosts& costs);

/// What changes in cost when single nodes of an assignment move. The graph and costs outlive it.
class PlacementWeigher {
 public:
  /// `on_gpu` by NodeId.
  PlacementWeigher(const Graph& graph, const PlacementCosts& costs, std::vector<bool> on_gpu);
  /// Of the whole, when that node alone goes to the other device, where it must be able to run;
  /// negative: that would be cheaper.
  int64_t cost_of_moving(NodeId node) const;

 private:
  int64_t transfer_cost(ValueId v, NodeId moved) const;

  const Graph& graph_;
  const PlacementCosts& costs_;
  std::vector<bool> on_gpu_;
  std::vector<std::vector<NodeId>> readers_;
};

/// What an assignment costs by the same rules; nothing when a node is on a device that cannot run
/// it.
std::optional<int64_t> cost_of(const Graph& graph, const PlacementCosts& costs,
                               const std::vector<bool>& on_gpu);

}  // namespace vultus
