#pragma once

#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/plan/placement.hpp"
#include "host/run/device.hpp"

namespace vultus {

/// Where the times of nodes and copies come from.
enum class CostSource : uint8_t {
  model,     ///< what the devices reach at best
  kept,      ///< measured before on this machine, else the model
  measured,  ///< measured before, else now, and kept
  anew,      ///< measured now, and kept
};

struct CostOptions {
  Precision precision = Precision::fp32;
  CostSource source = CostSource::model;
  /// Of the kernels that are timed.
  Tuning kernels = Tuning::rules;
  std::string cache_folder = {};  ///< as for `CacheFile`
};

/// What the nodes of a graph cost on the first GPU and on the first CPU of `devices` (nothing where
/// a device cannot run one, or there is none), and its tensors between the two. Nodes are timed in
/// the whole network, with what the device cannot run on the others, at its real shapes; the times
/// are scaled so that together they are what a run takes.
Result<PlacementCosts> placement_costs(const Graph& graph, const std::vector<Device*>& devices,
                                       const CostOptions& options);

}  // namespace vultus
