#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/run/device.hpp"

namespace vultus {

/// A node that must run on one kind of device: "Conv_12=cpu", or every node of an operator:
/// "op:TopK=cpu".
struct Pin {
  std::string node;
  DeviceKind device = DeviceKind::cpu;
};

/// Errc::usage when the text is no NODE=cpu or NODE=gpu.
Result<Pin> parse_pin(const std::string& text);

/// By NodeId the device a node is pinned to. Errc::usage for a node or operator that the graph does
/// not have, with the nearest names that it has, and for one that is pinned to both devices.
Result<std::vector<std::optional<DeviceKind>>> resolve_pins(const Graph& graph,
                                                            const std::vector<Pin>& pins);

}  // namespace vultus
