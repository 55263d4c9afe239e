#include "host/plan/placement.hpp"

#include <algorithm>

#include "host/plan/min_cut.hpp"

namespace vultus {

namespace {

/// Values that exist while the network runs: no constants, none that nobody computes or gives.
bool is_carried(const Graph& graph, ValueId v) {
  return !graph.value(v).constant;
}

}  // namespace

// The source side is the GPU, the sink side the CPU. A node on the CPU cuts source -> node (its CPU
// time), one on the GPU node -> sink (its GPU time). A tensor gets two vertices: `down` sits on the
// CPU side as soon as one reader does, `up` on the GPU side as soon as one reader does, so each
// direction is paid once.
std::optional<Placement> cheapest_placement(const Graph& graph, const PlacementCosts& costs) {
  FlowNetwork network;
  const int gpu = network.add_vertex(), cpu = network.add_vertex();
  std::vector<int> vertex;
  for (const NodeCost& cost : costs.nodes) {
    int v = network.add_vertex();
    vertex.push_back(v);
    network.add_edge(gpu, v, cost.cpu_ns.value_or(FlowNetwork::kInfinite));
    network.add_edge(v, cpu, cost.gpu_ns.value_or(FlowNetwork::kInfinite));
  }
  const auto readers = graph.consumers();
  for (ValueId v = 0; v < static_cast<ValueId>(graph.values.size()); ++v) {
    if (!is_carried(graph, v)) continue;
    const TransferCost& cost = costs.transfers[static_cast<size_t>(v)];
    NodeId producer = graph.value(v).producer;
    const int from = producer < 0 ? cpu : vertex[static_cast<size_t>(producer)];
    const int down = network.add_vertex(), up = network.add_vertex();
    network.add_edge(from, down, cost.down_ns);
    network.add_edge(up, from, cost.up_ns);
    auto read_by = [&](int reader) {
      network.add_edge(down, reader, FlowNetwork::kInfinite);
      network.add_edge(reader, up, FlowNetwork::kInfinite);
    };
    for (NodeId n : readers[static_cast<size_t>(v)])
      read_by(vertex[static_cast<size_t>(n)]);
    if (graph.is_output(v)) read_by(cpu);
  }
  FlowNetwork::Cut cut = network.minimum_cut(gpu, cpu);
  if (cut.capacity >= FlowNetwork::kInfinite) return std::nullopt;
  Placement placement{{}, cut.capacity};
  for (int v : vertex)
    placement.on_gpu.push_back(cut.source_side[static_cast<size_t>(v)]);
  return placement;
}

PlacementWeigher::PlacementWeigher(const Graph& graph, const PlacementCosts& costs,
                                   std::vector<bool> on_gpu)
    : graph_(graph), costs_(costs), on_gpu_(std::move(on_gpu)), readers_(graph.consumers()) {}

/// With `moved` on the other device; -1: with none.
int64_t PlacementWeigher::transfer_cost(ValueId v, NodeId moved) const {
  if (!is_carried(graph_, v)) return 0;
  auto on_gpu = [&](NodeId n) { return on_gpu_[static_cast<size_t>(n)] != (n == moved); };
  const NodeId producer = graph_.value(v).producer;
  const bool made_on_gpu = producer >= 0 && on_gpu(producer);
  const bool crosses = std::ranges::any_of(readers_[static_cast<size_t>(v)],
                                           [&](NodeId n) { return on_gpu(n) != made_on_gpu; }) ||
                       (made_on_gpu && graph_.is_output(v));
  const TransferCost& cost = costs_.transfers[static_cast<size_t>(v)];
  return !crosses ? 0 : made_on_gpu ? cost.down_ns : cost.up_ns;
}

int64_t PlacementWeigher::cost_of_moving(NodeId n) const {
  const NodeCost& cost = costs_.nodes[static_cast<size_t>(n)];
  const int64_t time = *cost.cpu_ns - *cost.gpu_ns;
  int64_t more = on_gpu_[static_cast<size_t>(n)] ? time : -time;
  std::vector<ValueId> touched;
  for (const auto* list : {&graph_.node(n).inputs, &graph_.node(n).outputs})
    for (ValueId v : *list)
      if (v != kNoValue && std::ranges::find(touched, v) == touched.end()) touched.push_back(v);
  for (ValueId v : touched)
    more += transfer_cost(v, n) - transfer_cost(v, -1);
  return more;
}

std::optional<int64_t> cost_of(const Graph& graph, const PlacementCosts& costs,
                               const std::vector<bool>& on_gpu) {
  int64_t sum = 0;
  for (size_t n = 0; n < costs.nodes.size(); ++n) {
    auto time = on_gpu[n] ? costs.nodes[n].gpu_ns : costs.nodes[n].cpu_ns;
    if (!time) return std::nullopt;
    sum += *time;
  }
  const auto readers = graph.consumers();
  for (ValueId v = 0; v < static_cast<ValueId>(graph.values.size()); ++v) {
    if (!is_carried(graph, v)) continue;
    NodeId producer = graph.value(v).producer;
    const bool made_on_gpu = producer >= 0 && on_gpu[static_cast<size_t>(producer)];
    const auto& list = readers[static_cast<size_t>(v)];
    const bool crosses =
        std::any_of(list.begin(), list.end(),
                    [&](NodeId n) { return on_gpu[static_cast<size_t>(n)] != made_on_gpu; }) ||
        (made_on_gpu && graph.is_output(v));
    const TransferCost& cost = costs.transfers[static_cast<size_t>(v)];
    if (crosses) sum += made_on_gpu ? cost.down_ns : cost.up_ns;
  }
  return sum;
}

}  // namespace vultus
