#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/graph/graph.hpp"
#include "host/plan/estimate.hpp"
#include "host/plan/partition.hpp"
#include "host/plan/pins.hpp"
#include "host/plan/placement.hpp"
#include "host/run/device.hpp"

namespace vultus {

/// What decides where a node goes that several devices can run.
enum class Goal : uint8_t {
  preference,  ///< the first of the devices
  fastest,     ///< the network as a whole takes least time, by the costs
};

struct PlanOptions {
  Precision precision = Precision::fp32;
  Goal goal = Goal::preference;
  std::vector<Pin> pins = {};
  /// Names of nodes that are computed and stored in fp32 whatever the precision: those that
  /// `vultus check` found unsafe. Errc::usage when the graph has no such node.
  std::vector<std::string> keep_fp32 = {};
  /// Of the graph on the first GPU and the first CPU of the devices; without them the goal is
  /// preference and nothing is estimated.
  std::optional<PlacementCosts> costs = {};
};

/// Another placement and what it would cost.
struct Alternative {
  std::string what;
  Estimate estimate;
  bool chosen = false;
};

/// Where every node runs, and why.
struct Plan {
  std::vector<Device*> placement;            ///< per node
  std::vector<std::string> reasons;          ///< per node, one sentence
  std::vector<PlannedPartition> partitions;  ///< in execution order
  /// Tensors that cross the host-GPU border per run, graph inputs and outputs included.
  int64_t transfers = 0;
  int64_t transfer_bytes = 0;
  // With costs:
  std::optional<PlacementCosts> costs;
  Estimate estimate;
  std::vector<Alternative> alternatives;  ///< what was weighed, the chosen one included

  double coverage_ops(const Graph& graph, DeviceKind kind) const;   ///< fraction 0..1 of nodes
  double coverage_macs(const Graph& graph, DeviceKind kind) const;  ///< fraction 0..1 of MACs
};

/// Gives every node a device and groups them into partitions. A placement on both devices has to be
/// faster than the better device alone by 3 per cent, for costs are never exact. Errc::bad_model
/// names the nodes that no device can run, or not the one they are pinned to; Errc::usage a pin
/// that means nothing.
Result<Plan> make_plan(const Graph& graph, const std::vector<Device*>& devices,
                       const PlanOptions& options);

/// The cheapest assignment other than that of `plan`, by the same sum of node times and copies that
/// a minimum cut weighs, found exactly. Nothing without costs, without a choice, or for networks of
/// more than 1,000 nodes.
struct NextBest {
  std::vector<NodeId> moved;  ///< nodes that lie elsewhere than in the plan
  double more_ms = 0;         ///< over the sum of the plan
};
std::optional<NextBest> next_best(const Graph& graph, const Plan& plan);

}  // namespace vultus
