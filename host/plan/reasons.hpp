#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/plan/placement.hpp"
#include "host/run/device.hpp"

namespace vultus {

/// Where a node may run.
struct NodeChoice {
  std::vector<Device*> devices;  ///< in order of preference
  std::string refusals;          ///< why others cannot
  bool pinned = false;           ///< others were ruled out by a pin

  /// The first of that kind, or null.
  Device* on(DeviceKind kind) const {
    for (Device* device : devices)
      if (device->info().kind == kind) return device;
    return nullptr;
  }
};

/// For every node one sentence on why it lies where it does: what other devices lack, a pin, or
/// what moving it alone would cost.
std::vector<std::string> reasons_for(const Graph& graph, const std::vector<Device*>& placement,
                                     const std::vector<NodeChoice>& choices,
                                     const std::optional<PlacementCosts>& costs);

}  // namespace vultus
