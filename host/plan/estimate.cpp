#include "host/plan/estimate.hpp"

#include <algorithm>

namespace vultus {

Estimate estimate(const Graph& graph, const std::vector<PlannedPartition>& partitions,
                  const PlacementCosts& costs) {
  Estimate e;
  std::vector<double> known(graph.values.size(), 0);  // when the partition that makes it is done
  double free_at[2] = {0, 0};                         // by whether it is the GPU
  constexpr double kMs = 1e-6;
  for (const PlannedPartition& p : partitions) {
    const bool gpu = p.device->info().kind == DeviceKind::gpu;
    Estimate::Span span{free_at[gpu], 0, 0};
    for (ValueId v : p.spec.inputs) {
      span.start_ms = std::max(span.start_ms, known[static_cast<size_t>(v)]);
      if (gpu)
        span.copies_ms += static_cast<double>(costs.transfers[static_cast<size_t>(v)].up_ns) * kMs;
    }
    for (const PartitionSpec::Import& import : p.spec.imports)
      span.start_ms = std::max(span.start_ms, known[static_cast<size_t>(import.value)]);
    double nodes_ms = 0;
    for (NodeId n : p.spec.nodes) {
      const NodeCost& cost = costs.nodes[static_cast<size_t>(n)];
      nodes_ms += static_cast<double>((gpu ? cost.gpu_ns : cost.cpu_ns).value_or(0)) * kMs;
    }
    for (ValueId v : p.spec.outputs)
      if (gpu)
        span.copies_ms +=
            static_cast<double>(costs.transfers[static_cast<size_t>(v)].down_ns) * kMs;
    span.ms = nodes_ms + span.copies_ms;
    const double end = span.start_ms + span.ms;
    for (const auto* made : {&p.spec.outputs, &p.spec.exports})
      for (ValueId v : *made)
        known[static_cast<size_t>(v)] = end;
    free_at[gpu] = end;
    (gpu ? e.gpu_ms : e.cpu_ms) += nodes_ms;
    e.copies_ms += span.copies_ms;
    e.ms = std::max(e.ms, end);
    e.partitions.push_back(span);
  }
  return e;
}

}  // namespace vultus
