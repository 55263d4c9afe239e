#include "host/plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/ops/op.hpp"
#include "host/plan/reasons.hpp"

namespace vultus {

namespace {

// A placement on both devices must gain this much over one device alone.
constexpr double kWorthwhile = 0.97;

template <class Weight>
double coverage(const Graph& graph, const std::vector<Device*>& placement, DeviceKind kind,
                Weight weight) {
  double on = 0, all = 0;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    double w = weight(graph.nodes[n]);
    all += w;
    if (placement[n]->info().kind == kind) on += w;
  }
  return all > 0 ? on / all : 0;
}

std::string where(DeviceKind kind) {
  return kind == DeviceKind::gpu ? "the GPU" : "the CPU";
}

/// The devices that may run a node, in order of preference, and why others may not.
Result<std::vector<NodeChoice>> choices(const Graph& graph, const std::vector<Device*>& devices,
                                        const PlanOptions& options,
                                        const std::vector<bool>& keep_fp32) {
  VULTUS_TRY(auto pins, resolve_pins(graph, options.pins));
  std::vector<NodeChoice> list;
  std::string refused;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    NodeChoice choice;
    for (Device* device : devices) {
      const DeviceKind kind = device->info().kind;
      if (pins[n] && *pins[n] != kind) {
        choice.pinned = true;
        continue;
      }
      Support support =
          device->supports(graph, node, keep_fp32[n] ? Precision::fp32 : options.precision);
      if (support.ok)
        choice.devices.push_back(device);
      else
        choice.refusals += (choice.refusals.empty() ? "" : "; ") + support.reason;
    }
    if (choice.devices.empty()) {
      const std::string pinned = pins[n] ? "pinned to " + where(*pins[n]) + ", " : "";
      if (choice.refusals.empty()) choice.refusals = "which is not among the devices in use";
      refused += fmt::format("{}{}: {}{}", refused.empty() ? "" : "; ", describe(node), pinned,
                             choice.refusals);
    }
    list.push_back(std::move(choice));
  }
  if (!refused.empty()) return Error{Errc::bad_model, "no device can run " + refused};
  return list;
}

std::vector<Device*> by_preference(const std::vector<NodeChoice>& choices) {
  std::vector<Device*> placement;
  for (const NodeChoice& choice : choices)
    placement.push_back(choice.devices.front());
  return placement;
}

/// The GPU stores in the precision asked for, save what is kept in fp32; the CPU always in fp32.
void set_precisions(std::vector<PlannedPartition>& partitions, Precision precision,
                    const std::vector<bool>& keep_fp32) {
  for (PlannedPartition& p : partitions) {
    if (p.device->info().kind != DeviceKind::gpu) continue;
    p.spec.precision = precision;
    if (precision == Precision::fp32) continue;
    for (NodeId n : p.spec.nodes)
      if (keep_fp32[static_cast<size_t>(n)]) p.spec.keep_fp32.push_back(n);
    std::ranges::sort(p.spec.keep_fp32);
    if (p.spec.keep_fp32.size() < p.spec.nodes.size()) continue;
    // Nothing is stored in fp16, which the device may lack.
    p.spec.precision = Precision::fp32;
    p.spec.keep_fp32.clear();
  }
}

Result<std::vector<bool>> kept_fp32(const Graph& graph, const std::vector<std::string>& names) {
  std::vector<bool> keep(graph.nodes.size());
  for (const std::string& name : names) {
    auto at = std::ranges::find(graph.nodes, name, &Node::name);
    if (at == graph.nodes.end())
      return Error{Errc::usage,
                   fmt::format("the network has no node '{}' to keep in fp32: the recipe was made "
                               "for another network or version; run `vultus check` again",
                               name)};
    keep[static_cast<size_t>(at - graph.nodes.begin())] = true;
  }
  return keep;
}

/// Every node on a device of that kind where it may.
std::vector<Device*> mostly(DeviceKind kind, const std::vector<NodeChoice>& choices) {
  std::vector<Device*> placement;
  for (const NodeChoice& choice : choices) {
    Device* device = choice.on(kind);
    placement.push_back(device ? device : choice.devices.front());
  }
  return placement;
}

/// Leaves only times on devices where a node may run.
void restrict_costs(PlacementCosts& costs, const std::vector<NodeChoice>& choices) {
  for (size_t n = 0; n < choices.size(); ++n) {
    if (!choices[n].on(DeviceKind::gpu)) costs.nodes[n].gpu_ns.reset();
    if (!choices[n].on(DeviceKind::cpu)) costs.nodes[n].cpu_ns.reset();
    // Kept in fp32, a node may run where it could not be timed: as on the other device, then.
    NodeCost& cost = costs.nodes[n];
    if (choices[n].on(DeviceKind::gpu) && !cost.gpu_ns) cost.gpu_ns = cost.cpu_ns.value_or(0);
    if (choices[n].on(DeviceKind::cpu) && !cost.cpu_ns) cost.cpu_ns = cost.gpu_ns.value_or(0);
  }
}

/// One device alone, the other alone, and the minimum cut; the fastest is chosen.
std::vector<Device*> fastest(const Graph& graph, const std::vector<NodeChoice>& choices,
                             const PlacementCosts& costs, std::vector<Alternative>& weighed) {
  std::vector<std::vector<Device*>> placements;
  auto add = [&](std::string what, std::vector<Device*> placement) {
    weighed.push_back(
        {std::move(what), estimate(graph, partition(graph, placement), costs), false});
    placements.push_back(std::move(placement));
  };
  add("as much as possible on the GPU", mostly(DeviceKind::gpu, choices));
  add("as much as possible on the CPU", mostly(DeviceKind::cpu, choices));
  size_t best = weighed[1].estimate.ms < weighed[0].estimate.ms;
  if (auto cut = cheapest_placement(graph, costs)) {
    std::vector<Device*> placement;
    for (size_t n = 0; n < choices.size(); ++n)
      placement.push_back(choices[n].on(cut->on_gpu[n] ? DeviceKind::gpu : DeviceKind::cpu));
    add("both, at least cost", std::move(placement));
    if (weighed[2].estimate.ms < kWorthwhile * weighed[best].estimate.ms) best = 2;
  }
  weighed[best].chosen = true;
  return placements[best];
}

void count_transfers(const Graph& graph, Plan& plan) {
  for (const PlannedPartition& p : plan.partitions) {
    if (p.device->info().kind != DeviceKind::gpu) continue;
    for (const auto* list : {&p.spec.inputs, &p.spec.outputs})
      for (ValueId v : *list) {
        ++plan.transfers;
        plan.transfer_bytes +=
            graph.shape(v).elements() * static_cast<int64_t>(size_of(graph.value(v).dtype));
      }
  }
}

}  // namespace

double Plan::coverage_ops(const Graph& graph, DeviceKind kind) const {
  return coverage(graph, placement, kind, [](const Node&) { return 1.0; });
}

double Plan::coverage_macs(const Graph& graph, DeviceKind kind) const {
  return coverage(graph, placement, kind,
                  [&](const Node& node) { return static_cast<double>(macs(graph, node)); });
}

Result<Plan> make_plan(const Graph& graph, const std::vector<Device*>& devices,
                       const PlanOptions& options) {
  if (devices.empty()) return Error{Errc::no_device, "no device was given to run on"};
  VULTUS_TRY(auto keep_fp32, kept_fp32(graph, options.keep_fp32));
  VULTUS_TRY(auto list, choices(graph, devices, options, keep_fp32));
  Plan plan;
  plan.costs = options.costs;
  if (plan.costs) restrict_costs(*plan.costs, list);
  plan.placement = by_preference(list);
  if (plan.costs) {
    auto best = fastest(graph, list, *plan.costs, plan.alternatives);
    if (options.goal == Goal::fastest) plan.placement = std::move(best);
  }
  plan.partitions = partition(graph, plan.placement);
  set_precisions(plan.partitions, options.precision, keep_fp32);
  if (plan.costs) plan.estimate = estimate(graph, plan.partitions, *plan.costs);
  if (plan.costs && options.goal == Goal::preference) {
    for (Alternative& other : plan.alternatives)
      other.chosen = false;
    plan.alternatives.push_back({"as asked for", plan.estimate, true});
  }
  if (plan.costs && !options.pins.empty()) {
    PlanOptions free = options;
    free.pins.clear();
    VULTUS_TRY(Plan other, make_plan(graph, devices, free));
    plan.alternatives.push_back({"without pins", other.estimate, false});
  }
  plan.reasons = reasons_for(graph, plan.placement, list, plan.costs);
  count_transfers(graph, plan);
  return plan;
}

}  // namespace vultus
