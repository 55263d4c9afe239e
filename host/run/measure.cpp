#include "host/run/measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/core/stopwatch.hpp"
#include "host/graph/signature.hpp"
#include "host/plan/cost_model.hpp"
#include "host/run/cached_numbers.hpp"
#include "host/run/random_input.hpp"
#include "host/run/session.hpp"

namespace vultus {

namespace {

constexpr double kUnknown = -1;
constexpr int kLeastRuns = 3, kMostRuns = 30;
constexpr double kBudgetMs = 1000;
constexpr double kMostKept = 1e6;  // larger numbers in a file are no measurements

Error untimed() {
  return {Errc::no_device, "not to be timed"};
}

bool reads_kept(CostSource source) {
  return source == CostSource::kept || source == CostSource::measured;
}
bool measures(CostSource source) {
  return source == CostSource::measured || source == CostSource::anew;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string key_of(const Device& device, Precision precision) {
  const DeviceInfo& info = device.info();
  return fmt::format("{}|{}|{}|{}", info.name, info.driver, info.uuid, name_of(precision));
}

/// What a run takes hardly depends on the values.
Result<void> fill_inputs(Session& session) {
  for (const std::string& name : session.input_names()) {
    VULTUS_TRY(const Value* value, session.describe(name));
    VULTUS_CHECK(session.set_input(name, random_input(*value).view()));
  }
  return {};
}

/// Runs and timed runs by turns.
struct Timings {
  std::vector<double> walls;               ///< of whole runs
  std::vector<std::vector<double>> nodes;  ///< by NodeId, one each timed run
};

Result<Timings> time_runs(Session& session) {
  VULTUS_CHECK(fill_inputs(session));
  VULTUS_CHECK(session.run());
  VULTUS_CHECK(session.run());
  Timings t;
  t.nodes.resize(session.graph().nodes.size());
  Stopwatch whole;
  double spent = 0;
  for (int i = 0; i < kMostRuns && (i < kLeastRuns || spent < kBudgetMs); ++i) {
    Stopwatch watch;
    VULTUS_CHECK(session.run());
    t.walls.push_back(watch.lap_ms());
    VULTUS_TRY(auto steps, session.profile());
    const std::map<NodeId, double> times = node_times(steps);
    for (size_t n = 0; n < t.nodes.size(); ++n) {
      auto at = times.find(static_cast<NodeId>(n));
      t.nodes[n].push_back(at == times.end() ? 0 : at->second);
    }
    spent += whole.lap_ms();
  }
  return t;
}

double copies_ms(const Plan& plan, const std::vector<TransferCost>& transfers) {
  double sum = 0;
  for (const PlannedPartition& p : plan.partitions) {
    if (p.device->info().kind != DeviceKind::gpu) continue;
    for (ValueId v : p.spec.inputs)
      sum += static_cast<double>(transfers[static_cast<size_t>(v)].up_ns) * 1e-6;
    for (ValueId v : p.spec.outputs)
      sum += static_cast<double>(transfers[static_cast<size_t>(v)].down_ns) * 1e-6;
  }
  return sum;
}

/// Milliseconds by NodeId of what runs on `device`; kUnknown for the rest.
Result<std::vector<double>> time_nodes(const Graph& graph, Device& device,
                                       const std::vector<Device*>& all,
                                       const std::vector<TransferCost>& transfers,
                                       const CostOptions& options) {
  SessionOptions session_options;
  session_options.devices = {&device};
  for (Device* other : all)
    if (other != &device) session_options.devices.push_back(other);
  session_options.precision = options.precision;
  session_options.tuning = options.kernels;
  VULTUS_TRY(Session session, Session::from_graph(graph, session_options));
  VULTUS_TRY(Timings timings, time_runs(session));
  std::vector<double> times;
  double sum = 0;
  for (const std::vector<double>& node : timings.nodes) {
    times.push_back(median(node));
    sum += times.back();
  }
  // Steps that are timed wait for each other; together they take longer than a run, or less where
  // starting them costs.
  const double run = median(timings.walls) - copies_ms(session.plan(), transfers);
  const double scale = sum > 0 ? std::clamp(run / sum, 0.25, 4.0) : 1;
  for (size_t n = 0; n < times.size(); ++n)
    times[n] = session.plan().placement[n] == &device ? times[n] * scale : kUnknown;
  return times;
}

/// The graph y = Relu(x) on that many numbers.
Graph one_node(int64_t numbers) {
  Graph graph;
  graph.name = "transfer";
  const ValueId x = graph.add_value("x", DType::f32, {1, numbers});
  const ValueId y = graph.add_value("y", DType::f32, {1, numbers});
  graph.inputs = {x};
  graph.outputs = {y};
  Node node;
  node.name = node.op = "Relu";
  node.inputs = {x};
  node.outputs = {y};
  graph.nodes.push_back(node);
  graph.value(y).producer = 0;
  return graph;
}

/// Milliseconds of one run of `one_node` apart: what goes up, what comes down, the whole.
struct RoundTrip {
  double up_ms = 0, down_ms = 0, all_ms = 0;
};

Result<RoundTrip> time_round_trip(Device& gpu, int64_t numbers, Precision precision) {
  constexpr int kRuns = 9;
  const Graph graph = one_node(numbers);
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
    double device_up = 0, device_down = 0;
    for (const StepTime& step : steps) {
      if (step.kernel == "upload") device_up += step.ms;
      if (step.kernel == "download") device_down += step.ms;
    }
    up.push_back(copied_in + device_up);
    down.push_back(copied_out + device_down);
  }
  return RoundTrip{median(up), median(down), median(all)};
}

Result<TransferSpeed> time_transfers(Device& gpu, Precision precision) {
  constexpr int64_t kFew = 256, kMany = 1 << 20;
  VULTUS_TRY(RoundTrip little, time_round_trip(gpu, kFew, precision));
  VULTUS_TRY(RoundTrip much, time_round_trip(gpu, kMany, precision));
  auto gb_per_s = [](double more_ms) {
    return (kMany - kFew) * sizeof(float) * 1e-6 / std::max(more_ms, 1e-6);
  };
  // A partition is submitted once, whatever it carries: half of that each way.
  const double latency_us = 1e3 * little.all_ms / 2;
  return TransferSpeed{latency_us, gb_per_s(much.up_ms - little.up_ms), latency_us,
                       gb_per_s(much.down_ms - little.down_ms)};
}

Result<TransferSpeed> transfer_speed(Device& gpu, const CostOptions& options) {
  const CachedNumbers file(options.cache_folder, "copies", key_of(gpu, options.precision));
  const auto kept = reads_kept(options.source) ? file.read(4) : std::nullopt;
  if (kept && std::ranges::all_of(*kept, [](double n) { return n >= 0 && n < kMostKept; }))
    return TransferSpeed{(*kept)[0], (*kept)[1], (*kept)[2], (*kept)[3]};
  auto timed = measures(options.source) ? time_transfers(gpu, options.precision)
                                        : Result<TransferSpeed>(untimed());
  // A device without timestamps, or without this precision.
  if (!timed && timed.error().code != Errc::no_device) return timed;
  if (!timed) {
    VULTUS_TRY(DeviceSpeed speed, gpu.speed());
    return modelled_transfers(speed);
  }
  const TransferSpeed& speed = *timed;
  file.write({speed.up_latency_us, speed.up_gb_per_s, speed.down_latency_us, speed.down_gb_per_s});
  return speed;
}

/// Milliseconds by NodeId; kUnknown where the device cannot run a node.
Result<std::vector<double>> node_costs(const Graph& graph, Device& device,
                                       const std::vector<Device*>& all,
                                       const std::vector<TransferCost>& transfers,
                                       const CostOptions& options) {
  const size_t count = graph.nodes.size();
  const CachedNumbers file(
      options.cache_folder, "nodes",
      fmt::format("{}|{:016x}|{}", key_of(device, options.precision), signature(graph), count));
  if (reads_kept(options.source))
    if (auto kept = file.read(count);
        kept && std::ranges::all_of(*kept, [](double ms) { return ms < kMostKept; }))
      return *std::move(kept);
  if (measures(options.source)) {
    auto times = time_nodes(graph, device, all, transfers, options);
    if (times) file.write(*times);
    // A device without timestamps cannot time nodes, and some networks do not run on numbers made
    // up.
    const bool cannot =
        !times && (times.error().code == Errc::no_device || times.error().code == Errc::bad_model);
    if (!cannot) return times;
  }
  VULTUS_TRY(DeviceSpeed speed, device.speed());
  std::vector<double> times;
  for (int64_t ns : modelled_times(graph, speed, options.precision))
    times.push_back(static_cast<double>(ns) * 1e-6);
  for (size_t n = 0; n < count; ++n)
    if (!device.supports(graph, graph.nodes[n], options.precision).ok) times[n] = kUnknown;
  return times;
}

}  // namespace

Result<PlacementCosts> placement_costs(const Graph& graph, const std::vector<Device*>& devices,
                                       const CostOptions& options) {
  PlacementCosts costs;
  costs.nodes.resize(graph.nodes.size());
  costs.transfers.resize(graph.values.size());
  auto first = [&](DeviceKind kind) -> Device* {
    auto at = std::ranges::find_if(devices, [&](Device* d) { return d->info().kind == kind; });
    return at == devices.end() ? nullptr : *at;
  };
  Device* gpu = first(DeviceKind::gpu);
  if (gpu) {
    VULTUS_TRY(TransferSpeed speed, transfer_speed(*gpu, options));
    costs.transfers = transfer_costs(graph, speed);
  }
  for (Device* device : {gpu, first(DeviceKind::cpu)}) {
    if (!device) continue;
    VULTUS_TRY(auto times, node_costs(graph, *device, devices, costs.transfers, options));
    for (size_t n = 0; n < times.size(); ++n)
      if (times[n] >= 0)
        (device == gpu ? costs.nodes[n].gpu_ns : costs.nodes[n].cpu_ns) =
            static_cast<int64_t>(std::llround(std::min(times[n], kMostKept) * 1e6));
  }
  return costs;
}

}  // namespace vultus
