#include "host/run/measure.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "host/core/stopwatch.hpp"
#include "host/graph/signature.hpp"
#include "host/plan/cost_model.hpp"
#include "host/run/cached_numbers.hpp"
#include "host/run/random_input.hpp"
#include "host/run/session.hpp"
#include "host/run/transfer_speed.hpp"

namespace vultus {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

constexpr double kUnknown = -1;
constexpr int kLeastRuns = 3, kMostRuns = 30;
constexpr double kBudgetMs = 1000;

/// What a run takes hardly depends on the values, but for pictures on their sizes.
Result<void> fill_inputs(Session& session, const std::vector<std::string>& shared) {
  const Graph& graph = session.graph();
  for (ValueId v : graph.inputs)
    if (const std::string& name = graph.value(v).name; !contains(shared, name))
      VULTUS_CHECK(session.set_input(name, random_input(graph, v).view()));
  return {};
}

/// Bytes of the measured session's own in the place of those that are shared.
struct SharedInputs {
  std::vector<Tensor> contents;
  std::map<std::string, std::shared_ptr<SharedBytes>> bytes;
};

Result<SharedInputs> made_up(const Graph& graph, const std::vector<std::string>& shared) {
  SharedInputs made;
  for (ValueId v : graph.inputs) {
    const Value& value = graph.value(v);
    if (!contains(shared, value.name)) continue;
    const Tensor& contents = made.contents.emplace_back(random_input(graph, v));
    auto bytes = std::make_shared<SharedBytes>(value.shape.elements());
    VULTUS_CHECK(bytes->set({contents.bytes(), contents.size_bytes()}));
    made.bytes.emplace(value.name, std::move(bytes));
  }
  return made;
}

/// Runs and timed runs by turns.
struct Timings {
  std::vector<double> walls;               ///< of whole runs
  std::vector<std::vector<double>> nodes;  ///< by NodeId, one each timed run
};

Result<Timings> time_runs(Session& session, const std::vector<std::string>& shared) {
  VULTUS_CHECK(fill_inputs(session, shared));
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
  VULTUS_TRY(SharedInputs shared, made_up(graph, options.shared));
  session_options.shared = shared.bytes;
  VULTUS_TRY(Session session, Session::from_graph(graph, session_options));
  VULTUS_TRY(Timings timings, time_runs(session, options.shared));
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

/// Milliseconds by NodeId; kUnknown where the device cannot run a node.
Result<std::vector<double>> node_costs(const Graph& graph, Device& device,
                                       const std::vector<Device*>& all,
                                       const std::vector<TransferCost>& transfers,
                                       const CostOptions& options) {
  const size_t count = graph.nodes.size();
  const CachedNumbers file(
      options.cache_folder, "nodes",
      fmt::format(
          "{}|{:016x}|{}{}", cost_key(device, options.precision), signature(graph), count,
          options.shared.empty() ? "" : fmt::format("|shared {}", fmt::join(options.shared, ","))));
  if (reads_kept(options.source))
    if (auto kept = file.read(count);
        kept && std::ranges::all_of(*kept, [](double ms) { return ms < kMostCost; }))
      return *std::move(kept);
  if (measures(options.source)) {
    auto times = time_nodes(graph, device, all, transfers, options);
    if (times) file.write(*times);
    // A device without timestamps cannot time nodes, and some networks do not run on numbers made
    // up.
    const Errc reason = times ? Errc::internal : times.error().code;
    const bool cannot =
        reason == Errc::no_device || reason == Errc::bad_model || reason == Errc::bad_input;
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
            static_cast<int64_t>(std::llround(std::min(times[n], kMostCost) * 1e6));
  }
  return costs;
}

}  // namespace vultus
