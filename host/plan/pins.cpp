#include "host/plan/pins.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "host/core/nearest.hpp"

namespace vultus {

namespace {

constexpr std::string_view kOperator = "op:";

Error unknown(const Graph& graph, const Pin& pin, bool by_operator) {
  std::set<std::string> names;
  for (const Node& node : graph.nodes)
    names.insert(by_operator ? node.op : node.name);
  const std::string wanted = by_operator ? pin.node.substr(kOperator.size()) : pin.node;
  return {
      Errc::usage,
      fmt::format("cannot pin '{}': the network has no such {} after its layers were fused; the "
                  "nearest are {} (`vultus plan --nodes` lists all, --no-fuse keeps layers "
                  "apart)",
                  pin.node, by_operator ? "operator" : "node",
                  fmt::join(nearest({names.begin(), names.end()}, wanted, 3), ", "))};
}

}  // namespace

Result<Pin> parse_pin(const std::string& text) {
  const size_t equals = text.rfind('=');
  const std::string device = equals == std::string::npos ? "" : text.substr(equals + 1);
  if ((device != "cpu" && device != "gpu") || equals == 0)
    return Error{Errc::usage,
                 fmt::format("--pin {}: expected NODE=cpu, NODE=gpu or op:OPERATOR=cpu", text)};
  return Pin{text.substr(0, equals), device == "cpu" ? DeviceKind::cpu : DeviceKind::gpu};
}

Result<std::vector<std::optional<DeviceKind>>> resolve_pins(const Graph& graph,
                                                            const std::vector<Pin>& pins) {
  std::vector<std::optional<DeviceKind>> wanted(graph.nodes.size());
  for (const Pin& pin : pins) {
    const bool by_operator = pin.node.starts_with(kOperator);
    bool found = false;
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      const Node& node = graph.nodes[n];
      if (by_operator ? node.op != pin.node.substr(kOperator.size()) : node.name != pin.node)
        continue;
      found = true;
      if (wanted[n] && *wanted[n] != pin.device)
        return Error{Errc::usage,
                     fmt::format("'{}' is pinned to both devices: give one --pin", node.name)};
      wanted[n] = pin.device;
    }
    if (!found) return unknown(graph, pin, by_operator);
  }
  return wanted;
}

}  // namespace vultus
