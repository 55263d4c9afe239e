#include "host/plan/pins.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <string_view>

namespace vultus {

namespace {

constexpr std::string_view kOperator = "op:";

/// Insertions, deletions and replacements that make one text the other (Levenshtein).
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] != b[j])});
      diagonal = above;
    }
  }
  return row.back();
}

/// The three names most like `wanted`. Names of unreasonable length are not compared.
std::vector<std::string> nearest(const std::set<std::string>& names, std::string_view wanted) {
  constexpr size_t kLongest = 256, kMost = 3;
  std::vector<std::pair<size_t, std::string>> ranked;
  for (const std::string& name : names)
    if (name.size() <= kLongest)
      ranked.emplace_back(distance(name, wanted.substr(0, kLongest)), name);
  const size_t count = std::min(kMost, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(count),
                    ranked.end());
  std::vector<std::string> list;
  for (size_t i = 0; i < count; ++i)
    list.push_back(ranked[i].second);
  return list;
}

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
                  fmt::join(nearest(names, wanted), ", "))};
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
