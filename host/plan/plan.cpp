#include "host/plan/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/ops/op.hpp"

namespace vultus {

namespace {

/// Assigns nodes to partitions: as long as a ready node exists for the present device, it comes
/// next; so the number of partitions is what the dependencies force and not what the file's order
/// happens to be.
std::vector<PlannedPartition> partition(const Graph& graph, const std::vector<Device*>& placement) {
  size_t count = graph.nodes.size();
  std::vector<int> waiting(count, 0);
  auto readers = graph.consumers();
  for (size_t n = 0; n < count; ++n) {
    std::vector<NodeId> producers;
    for (ValueId v : graph.nodes[n].inputs)
      if (v != kNoValue && !graph.value(v).constant && graph.value(v).producer >= 0)
        producers.push_back(graph.value(v).producer);
    std::sort(producers.begin(), producers.end());
    waiting[n] =
        static_cast<int>(std::unique(producers.begin(), producers.end()) - producers.begin());
  }

  std::vector<PlannedPartition> partitions;
  std::vector<NodeId> ready;  // sorted, so that the order of the file is kept within a partition
  for (size_t n = 0; n < count; ++n)
    if (waiting[n] == 0) ready.push_back(static_cast<NodeId>(n));
  while (!ready.empty()) {
    Device* device = partitions.empty() ? nullptr : partitions.back().device;
    auto next = std::find_if(ready.begin(), ready.end(),
                             [&](NodeId n) { return placement[static_cast<size_t>(n)] == device; });
    if (next == ready.end()) {
      next = ready.begin();
      partitions.push_back({placement[static_cast<size_t>(*next)], {}});
    }
    NodeId node = *next;
    ready.erase(next);
    partitions.back().spec.nodes.push_back(node);
    std::vector<NodeId> unlocked;
    for (ValueId v : graph.node(node).outputs) {
      if (v == kNoValue) continue;
      const auto& list = readers[static_cast<size_t>(v)];
      unlocked.insert(unlocked.end(), list.begin(), list.end());
    }
    std::sort(unlocked.begin(), unlocked.end());
    unlocked.erase(std::unique(unlocked.begin(), unlocked.end()), unlocked.end());
    for (NodeId n : unlocked)
      if (--waiting[static_cast<size_t>(n)] == 0)
        ready.insert(std::lower_bound(ready.begin(), ready.end(), n), n);
  }
  return partitions;
}

void set_borders(const Graph& graph, std::vector<PlannedPartition>& partitions) {
  std::vector<int> home(graph.values.size(), -1);
  for (size_t p = 0; p < partitions.size(); ++p)
    for (NodeId n : partitions[p].spec.nodes)
      for (ValueId v : graph.node(n).outputs)
        if (v != kNoValue) home[static_cast<size_t>(v)] = static_cast<int>(p);

  auto add = [](std::vector<ValueId>& list, ValueId v) {
    if (std::find(list.begin(), list.end(), v) == list.end()) list.push_back(v);
  };
  for (size_t p = 0; p < partitions.size(); ++p)
    for (NodeId n : partitions[p].spec.nodes)
      for (ValueId v : graph.node(n).inputs) {
        if (v == kNoValue || graph.value(v).constant) continue;
        int from = home[static_cast<size_t>(v)];
        if (from == static_cast<int>(p)) continue;
        add(partitions[p].spec.inputs, v);
        if (from >= 0) add(partitions[static_cast<size_t>(from)].spec.outputs, v);
      }
  for (ValueId v : graph.outputs)
    if (int from = home[static_cast<size_t>(v)]; from >= 0)
      add(partitions[static_cast<size_t>(from)].spec.outputs, v);
}

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

}  // namespace

double Plan::coverage_ops(const Graph& graph, DeviceKind kind) const {
  return coverage(graph, placement, kind, [](const Node&) { return 1.0; });
}

double Plan::coverage_macs(const Graph& graph, DeviceKind kind) const {
  return coverage(graph, placement, kind,
                  [&](const Node& node) { return static_cast<double>(macs(graph, node)); });
}

Result<Plan> make_plan(const Graph& graph, const std::vector<Device*>& devices,
                       Precision precision) {
  if (devices.empty()) return Error{Errc::no_device, "no device was given to run on"};
  Plan plan;
  std::string refused;
  for (const Node& node : graph.nodes) {
    Device* chosen = nullptr;
    std::string reason;
    for (Device* device : devices) {
      Support support = device->supports(graph, node, precision);
      if (support.ok) {
        chosen = device;
        if (reason.empty())
          reason =
              fmt::format("{} is the first choice and has a kernel", name_of(device->info().kind));
        break;
      }
      if (!reason.empty()) reason += "; ";
      reason += support.reason;
    }
    if (!chosen)
      refused += fmt::format("{}{}: {}", refused.empty() ? "" : "; ", describe(node), reason);
    plan.placement.push_back(chosen);
    plan.reasons.push_back(std::move(reason));
  }
  if (!refused.empty()) return Error{Errc::bad_model, "no device can run " + refused};

  plan.partitions = partition(graph, plan.placement);
  set_borders(graph, plan.partitions);
  for (PlannedPartition& p : plan.partitions) {
    p.spec.precision = p.device->info().kind == DeviceKind::gpu ? precision : Precision::fp32;
    if (p.device->info().kind != DeviceKind::gpu) continue;
    for (const auto* list : {&p.spec.inputs, &p.spec.outputs})
      for (ValueId v : *list) {
        ++plan.transfers;
        plan.transfer_bytes +=
            graph.shape(v).elements() * static_cast<int64_t>(size_of(graph.value(v).dtype));
      }
  }
  return plan;
}

}  // namespace vultus
