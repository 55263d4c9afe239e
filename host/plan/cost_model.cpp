#include "host/plan/cost_model.hpp"

#include <algorithm>

#include "host/ops/op.hpp"

namespace vultus {

namespace {

constexpr double kOfPeak = 0.5;
constexpr double kMostNs = 1e12;  // sums of them stay far from overflowing

double bytes_of(const Graph& graph, const Node& node, Precision precision) {
  double bytes = 0;
  for (const auto* list : {&node.inputs, &node.outputs})
    for (ValueId v : *list) {
      if (v == kNoValue) continue;
      const Value& value = graph.value(v);
      const bool half = precision == Precision::fp16 && value.dtype == DType::f32;
      bytes += static_cast<double>(value.shape.elements()) *
               (half ? 2 : static_cast<double>(size_of(value.dtype)));
    }
  return bytes;
}

}  // namespace

std::vector<int64_t> modelled_times(const Graph& graph, const DeviceSpeed& speed,
                                    Precision precision) {
  std::vector<int64_t> times;
  for (const Node& node : graph.nodes) {
    // GFLOP/s and GB/s are operations and bytes per nanosecond.
    const double arithmetic =
        2 * static_cast<double>(macs(graph, node)) / std::max(kOfPeak * speed.gflops, 1e-3);
    const double memory = bytes_of(graph, node, precision) / std::max(speed.copy_gb_per_s, 1e-3);
    times.push_back(static_cast<int64_t>(
        std::min(std::max(arithmetic, memory) + 1e3 * speed.dependent_us, kMostNs)));
  }
  return times;
}

TransferSpeed modelled_transfers(const DeviceSpeed& gpu) {
  return {gpu.submit_us / 2, 8, gpu.submit_us / 2, 8, 8};
}

std::vector<TransferCost> transfer_costs(const Graph& graph, const TransferSpeed& speed) {
  std::vector<TransferCost> costs;
  const auto readers = graph.consumers();
  for (ValueId v = 0; v < static_cast<ValueId>(graph.values.size()); ++v) {
    const Value& value = graph.value(v);
    TransferCost cost;
    const double bytes =
        static_cast<double>(value.shape.elements()) * static_cast<double>(size_of(value.dtype));
    auto ns = [&](double latency_us, double gb_per_s, bool copied_by_cpu) {
      const double copy = copied_by_cpu ? bytes / std::max(speed.host_gb_per_s, 1e-3) : 0;
      return static_cast<int64_t>(
          std::min(1e3 * latency_us + bytes / std::max(gb_per_s, 1e-3) + copy, kMostNs));
    };
    if (!value.constant)
      cost = {
          ns(speed.up_latency_us, speed.up_gb_per_s, value.producer >= 0),
          ns(speed.down_latency_us, speed.down_gb_per_s, !readers[static_cast<size_t>(v)].empty())};
    costs.push_back(cost);
  }
  return costs;
}

}  // namespace vultus
