#include "host/plan/reasons.hpp"

#include <fmt/format.h>

namespace vultus {

namespace {

double in_ms(int64_t ns) {
  return static_cast<double>(ns) * 1e-6;
}

std::string with_costs(const PlacementWeigher& weigher, NodeId n, bool on_gpu,
                       const NodeCost& cost) {
  const double here = in_ms(*(on_gpu ? cost.gpu_ns : cost.cpu_ns));
  const double there = in_ms(*(on_gpu ? cost.cpu_ns : cost.gpu_ns));
  const double more = in_ms(weigher.cost_of_moving(n));
  const char* other = on_gpu ? "CPU" : "GPU";
  const double copies = more - (there - here);
  if (here <= there && copies <= 0)
    return fmt::format("{:.3f} ms here, {:.3f} ms on the {}", here, there, other);
  return fmt::format("{:.3f} ms here, {:.3f} ms on the {} and {:+.3f} ms of copies", here, there,
                     other, copies);
}

}  // namespace

std::vector<std::string> reasons_for(const Graph& graph, const std::vector<Device*>& placement,
                                     const std::vector<NodeChoice>& choices,
                                     const std::optional<PlacementCosts>& costs) {
  std::vector<bool> on_gpu;
  for (Device* device : placement)
    on_gpu.push_back(device->info().kind == DeviceKind::gpu);
  std::optional<PlacementWeigher> weigher;
  if (costs) weigher.emplace(graph, *costs, on_gpu);
  std::vector<std::string> list;
  for (size_t n = 0; n < choices.size(); ++n) {
    const NodeChoice& choice = choices[n];
    const std::string_view kind = name_of(placement[n]->info().kind);
    if (choice.pinned)
      list.push_back(fmt::format("pinned to the {}", kind));
    else if (!choice.refusals.empty())
      list.push_back(choice.refusals);
    else if (choice.devices.size() == 1)
      list.push_back(fmt::format("the {} is the only device", kind));
    else if (weigher && costs->nodes[n].gpu_ns && costs->nodes[n].cpu_ns)
      list.push_back(with_costs(*weigher, static_cast<NodeId>(n), on_gpu[n], costs->nodes[n]));
    else
      list.push_back(fmt::format("{} is the first choice and has a kernel", kind));
  }
  return list;
}

}  // namespace vultus
