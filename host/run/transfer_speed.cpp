#include "host/run/transfer_speed.hpp"

#include <algorithm>
#include <cstring>

#include "host/core/stopwatch.hpp"
#include "host/run/cached_numbers.hpp"

namespace vultus {

namespace {

constexpr int kRuns = 9;
constexpr int64_t kChannels = 64, kSmall = 2, kLarge = 128;  // sides of the images that are moved

/// y = MaxPool(x) over one pixel on an image of `side` x `side`: next to no work, in the layout
/// that convolutions want.
Graph one_node(int64_t side) {
  Graph graph;
  graph.name = "transfer";
  const ValueId x = graph.add_value("x", DType::f32, {1, kChannels, side, side});
  const ValueId y = graph.add_value("y", DType::f32, {1, kChannels, side, side});
  graph.inputs = {x};
  graph.outputs = {y};
  Node node;
  node.name = node.op = "MaxPool";
  node.attributes["kernel_shape"] = std::vector<int64_t>{1, 1};
  node.inputs = {x};
  node.outputs = {y};
  graph.nodes.push_back(node);
  graph.value(y).producer = 0;
  return graph;
}

/// Milliseconds of one run of `one_node` apart: what goes up, what comes down, the whole. Changes
/// of layout are part of the way.
struct RoundTrip {
  double up_ms = 0, down_ms = 0, all_ms = 0;
};

/// The part of the device.
RoundTrip steps_of(const std::vector<StepTime>& steps) {
  RoundTrip device;
  bool up = true;
  for (const StepTime& step : steps) {
    const bool moves =
        step.kernel == "upload" || step.kernel == "download" || step.kernel == "relayout";
    if (moves)
      (up ? device.up_ms : device.down_ms) += step.ms;
    else
      up = false;
  }
  return device;
}

Result<RoundTrip> time_round_trip(Device& gpu, int64_t side, Precision precision) {
  const Graph graph = one_node(side);
  PartitionSpec spec{.nodes = {0}, .inputs = {0}, .outputs = {1}, .precision = precision};
  VULTUS_TRY(auto partition, gpu.compile(graph, spec));
  Tensor in(DType::f32, graph.shape(0)), out(DType::f32, graph.shape(0));
  std::vector<double> up, down, all;
  for (int i = 0; i < kRuns; ++i) {
    Stopwatch watch;
    VULTUS_CHECK(partition->upload(0, in.view()));
    const double copied_in = watch.lap_ms();
    VULTUS_CHECK(partition->submit());
    VULTUS_CHECK(partition->wait());
    const double ran = watch.lap_ms();
    VULTUS_CHECK(partition->download(1, out));
    const double copied_out = watch.lap_ms();
    all.push_back(copied_in + ran + copied_out);
    VULTUS_TRY(auto steps, partition->profile());
    const RoundTrip device = steps_of(steps);
    up.push_back(copied_in + device.up_ms);
    down.push_back(copied_out + device.down_ms);
  }
  return RoundTrip{median(up), median(down), median(all)};
}

/// Of a copy within host memory, as CPU partitions take their inputs and give their outputs.
double time_host_copy() {
  Tensor from(DType::f32, {1, kChannels, kLarge, kLarge}), to(DType::f32, from.shape());
  std::vector<double> runs;
  for (int i = 0; i < kRuns; ++i) {
    Stopwatch watch;
    std::memcpy(to.bytes(), from.bytes(), from.size_bytes());
    runs.push_back(watch.lap_ms());
  }
  return static_cast<double>(from.size_bytes()) * 1e-6 / std::max(median(runs), 1e-6);
}

Result<TransferSpeed> time_transfers(Device& gpu, Precision precision) {
  VULTUS_TRY(RoundTrip little, time_round_trip(gpu, kSmall, precision));
  VULTUS_TRY(RoundTrip much, time_round_trip(gpu, kLarge, precision));
  auto gb_per_s = [](double more_ms) {
    constexpr int64_t kMore = kChannels * (kLarge * kLarge - kSmall * kSmall);
    return static_cast<double>(kMore * sizeof(float)) * 1e-6 / std::max(more_ms, 1e-6);
  };
  // A partition is submitted once, whatever it carries: half of that each way.
  const double latency_us = 1e3 * little.all_ms / 2;
  return TransferSpeed{latency_us, gb_per_s(much.up_ms - little.up_ms), latency_us,
                       gb_per_s(much.down_ms - little.down_ms), time_host_copy()};
}

}  // namespace

Result<TransferSpeed> transfer_speed(Device& gpu, const CostOptions& options) {
  const CachedNumbers file(options.cache_folder, "transfers", cost_key(gpu, options.precision));
  if (reads_kept(options.source))
    if (const auto n = file.read(5);
        n && std::ranges::all_of(*n, [](double x) { return x >= 0 && x < kMostCost; }))
      return TransferSpeed{(*n)[0], (*n)[1], (*n)[2], (*n)[3], (*n)[4]};
  if (measures(options.source)) {
    auto timed = time_transfers(gpu, options.precision);
    if (timed)
      file.write({timed->up_latency_us, timed->up_gb_per_s, timed->down_latency_us,
                  timed->down_gb_per_s, timed->host_gb_per_s});
    // Else a device without timestamps, or without this precision.
    if (timed || timed.error().code != Errc::no_device) return timed;
  }
  VULTUS_TRY(DeviceSpeed speed, gpu.speed());
  return modelled_transfers(speed);
}

}  // namespace vultus
