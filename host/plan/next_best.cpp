#include "host/plan/plan.hpp"

namespace vultus {

namespace {

constexpr size_t kMostNodes = 1000;  // one minimum cut each

std::vector<bool> on_gpu(const Plan& plan) {
  std::vector<bool> list;
  for (Device* device : plan.placement)
    list.push_back(device->info().kind == DeviceKind::gpu);
  return list;
}

}  // namespace

// The best assignment that differs from a given one differs in some node: it is the cheapest of the
// minimum cuts in each of which one node is held on the other side.
std::optional<NextBest> next_best(const Graph& graph, const Plan& plan) {
  if (!plan.costs || graph.nodes.size() > kMostNodes) return {};
  const std::vector<bool> present = on_gpu(plan);
  const auto own = cost_of(graph, *plan.costs, present);
  if (!own) return {};
  std::optional<Placement> best;
  PlacementCosts held = *plan.costs;
  for (size_t n = 0; n < present.size(); ++n) {
    NodeCost& cost = held.nodes[n];
    if (!cost.gpu_ns || !cost.cpu_ns) continue;
    const NodeCost both = cost;
    (present[n] ? cost.gpu_ns : cost.cpu_ns).reset();
    auto other = cheapest_placement(graph, held);
    if (other && (!best || other->cost_ns < best->cost_ns)) best = std::move(other);
    cost = both;
  }
  if (!best) return {};
  NextBest next;
  next.more_ms = static_cast<double>(best->cost_ns - *own) * 1e-6;
  for (size_t n = 0; n < present.size(); ++n)
    if (best->on_gpu[n] != present[n]) next.moved.push_back(static_cast<NodeId>(n));
  return next;
}

}  // namespace vultus
