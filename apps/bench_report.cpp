#include "apps/bench_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/startup.hpp"
#include "host/cpu/threads.hpp"
#include "host/ops/op.hpp"
#include "host/run/advice.hpp"

namespace vultus::app {

double percentile(std::vector<double> times, double p) {
  std::sort(times.begin(), times.end());
  return times[static_cast<size_t>(p * static_cast<double>(times.size() - 1) + 0.5)];
}

namespace {

/// Of the runs that were kept, the one whose time is nearest the median.
const RunTimes& median_run(const BenchCase& c) {
  const double median = percentile(c.times, 0.5);
  return *std::ranges::min_element(
      c.splits, {}, [&](const RunTimes& times) { return std::abs(times.wall_ms - median); });
}

bool runs_on(const BenchCase& c, DeviceKind kind) {
  return std::ranges::any_of(c.session->plan().partitions, [&](const PlannedPartition& p) {
    return p.device->info().kind == kind;
  });
}

int threads_of(const EngineOptions& engine) {
  return engine.threads > 0 ? engine.threads : cpu::available_threads();
}

RunFacts facts_of(const BenchCase& c, const EngineOptions& engine) {
  const RunTimes& times = median_run(c);
  const PartitionStats stats = c.session->stats();
  const auto& partitions = c.session->plan().partitions;
  RunFacts facts;
  facts.wall_ms = times.wall_ms;
  facts.upload_ms = times.sum_ms(Stage::upload);
  facts.compute_ms = times.sum_ms(Stage::compute);
  facts.read_back_ms = times.sum_ms(Stage::read_back);
  facts.host_ms = times.host_ms();
  facts.device_clock = times.device_clock;
  facts.on_gpu = runs_on(c, DeviceKind::gpu);
  facts.on_cpu = runs_on(c, DeviceKind::cpu);
  facts.software = std::ranges::any_of(
      partitions, [](const PlannedPartition& p) { return p.device->info().software; });
  facts.partitions = partitions.size();
  facts.may_overlap = facts.on_gpu && partitions.size() == 1 && c.session->slots() == 1;
  facts.available_threads = cpu::available_threads();
  facts.threads = threads_of(engine);
  facts.choices = stats.choices;
  facts.timed_choices = stats.timed_choices;
  return facts;
}

Json split_json(const RunTimes& times) {
  Json json = {{"upload_ms", times.sum_ms(Stage::upload)},
               {"compute_ms", times.sum_ms(Stage::compute)},
               {"read_back_ms", times.sum_ms(Stage::read_back)},
               {"host_ms", times.host_ms()},
               {"wall_ms", times.wall_ms},
               {"device_clock", times.device_clock}};
  if (times.overlap_ms() > 0) json["overlap_ms"] = times.overlap_ms();
  return json;
}

Json timeline_json(const BenchCase& c, const RunTimes& times) {
  Json list = Json::array();
  for (const RunSpan& span : times.spans)
    list.push_back(
        {{"partition", span.partition},
         {"device", name_of(c.session->plan().partitions[span.partition].device->info().kind)},
         {"stage", name_of(span.stage)},
         {"start_ms", span.start_ms},
         {"ms", span.ms}});
  return list;
}

/// Milliseconds by node of a timed run; nodes without a step, such as views, take none.
std::map<std::string, double> layer_times(const BenchCase& c) {
  std::map<std::string, double> times;
  for (const Node& node : c.session->graph().nodes)
    times[node.name] = 0;
  for (const Profile::Row& row : c.profile->rows)
    if (row.step.node >= 0) times[row.node] += row.step.ms;
  return times;
}

/// Nodes that every case of the first one's batch has, with the times of each.
Json layers_json(const std::vector<BenchCase>& cases) {
  std::vector<std::pair<std::string, std::map<std::string, double>>> times;
  for (const BenchCase& c : cases)
    if (c.profile && c.batch == cases[0].batch) times.emplace_back(c.device, layer_times(c));
  Json layers = Json::array();
  if (times.empty()) return layers;
  const Graph& graph = cases[0].session->graph();
  for (const Node& node : graph.nodes) {
    Json devices = Json::object();
    for (const auto& [device, of] : times)
      if (auto at = of.find(node.name); at != of.end()) devices[device] = at->second;
    const bool everywhere = std::ranges::all_of(
        times, [&](const auto& other) { return other.second.contains(node.name); });
    if (everywhere)
      layers.push_back({{"name", node.name},
                        {"op", node.op},
                        {"macs", macs(graph, node)},
                        {"output", graph.shape(node.outputs[0]).str()},
                        {"devices", devices}});
  }
  return layers;
}

/// What the test data say about a case; nothing where there are none.
void add_test_data(const BenchCase& c, const EngineOptions& engine, Json& run) {
  const std::string& folder = c.data.sets[0].folder;
  if (folder.empty()) return;
  run["data_set"] = folder;
  run["data_sets_found"] = c.data.found;
  run["outputs"] = Json::array();
  for (const OutputError& error : c.errors)
    run["outputs"].push_back(error_json(error, tolerance_of(*c.session, engine)));
}

/// Of the plan's partitions, each once.
Json devices_json(const BenchCase& c) {
  std::vector<const Device*> seen;
  Json list = Json::array();
  for (const PlannedPartition& p : c.session->plan().partitions) {
    if (std::ranges::find(seen, p.device) != seen.end()) continue;
    seen.push_back(p.device);
    const DeviceInfo& info = p.device->info();
    list.push_back({{"kind", name_of(info.kind)}, {"name", info.name}, {"driver", info.driver}});
  }
  return list;
}

Json as_json(const BenchCase& c, const EngineOptions& engine) {
  const Graph& graph = c.session->graph();
  int64_t work = 0;
  for (const Node& node : graph.nodes)
    work += macs(graph, node);
  double median = percentile(c.times, 0.5);
  PartitionStats stats = c.session->stats();
  const LoadTimes& load = c.session->load_times();
  const Transfers& after = c.session->transfers();
  auto runs = static_cast<int64_t>(c.times.size());
  bool gpu = c.session->plan().coverage_ops(graph, DeviceKind::gpu) > 0;
  Json json = {{"device", c.device},
               {"chosen", c.opened->note},
               {"devices_used", devices_json(c)},
               {"precision", gpu ? engine.precision : "fp32"},
               {"batch", c.batch > 0 ? c.batch : graph.shape(graph.inputs[0])[0]},
               {"runs", runs},
               {"median_ms", median},
               {"p95_ms", percentile(c.times, 0.95)},
               {"min_ms", percentile(c.times, 0)},
               {"max_ms", percentile(c.times, 1)},
               {"predicted_ms",
                c.session->plan().costs ? Json(c.session->plan().estimate.ms) : Json(nullptr)},
               {"gflops", 2e-6 * static_cast<double>(work) / median},
               {"load_ms", c.load_ms},
               {"import_ms", load.import_ms},
               {"passes_ms", load.passes_ms},
               {"plan_ms", load.plan_ms},
               {"compile_ms", load.compile_ms},
               {"first_ms", c.first_ms},
               {"partitions", c.session->plan().partitions.size()},
               {"dispatches", stats.dispatches},
               {"barriers", stats.barriers},
               {"reorders", stats.reorders},
               {"uploads", (after.uploads - c.before.uploads) / runs},
               {"downloads", (after.downloads - c.before.downloads) / runs},
               {"upload_bytes", stats.upload_bytes},
               {"download_bytes", stats.download_bytes},
               {"tunable_convolutions", stats.choices},
               {"timed_convolutions", stats.timed_choices},
               {"changed_convolutions", stats.changed_choices},
               {"arena_bytes", stats.arena_bytes},
               {"weight_bytes", stats.weight_bytes}};
  if (c.in_flight_per_s > 0) {
    json["in_flight"] = c.session->slots();
    json["runs_per_s"] = c.in_flight_per_s;
    json["runs_per_s_alone"] = c.alone_per_s;
  }
  const RunTimes& times = median_run(c);
  json["split"] = split_json(times);
  json["timeline"] = timeline_json(c, times);
  json["advice"] = advice(facts_of(c, engine));
  add_test_data(c, engine, json);
  if (!c.startup.is_null()) json["startup"] = c.startup;
  if (c.profile) json["profile"] = as_json(*c.profile);
  return json;
}

void print_test_data(const BenchCase& c) {
  const std::string& folder = c.data.sets[0].folder;
  if (folder.empty()) return;
  fmt::print("    inputs of {}{}\n", folder,
             c.data.found > 1 ? fmt::format(", the first of {}", c.data.found) : "");
  for (const OutputError& error : c.errors)
    fmt::print("    output '{}' against the test data: {}\n", error.name, error_text(error));
}

void print_table(const BenchOptions& options, const Json& runs) {
  fmt::print("{}, {} runs each, alternating\n", options.model, options.runs);
  fmt::print("{:<8} {:>5} {:>5} {:>10} {:>10} {:>10} {:>9} {:>6} {:>6} {:>10} {:>10}\n", "device",
             "prec", "batch", "median ms", "p95 ms", "min ms", "GFLOP/s", "disp.", "barr.",
             "load ms", "arena MB");
  for (const Json& r : runs)
    fmt::print(
        "{:<8} {:>5} {:>5} {:>10.3f} {:>10.3f} {:>10.3f} {:>9.1f} {:>6} {:>6} {:>10.1f} "
        "{:>10.2f}\n",
        r["device"].get<std::string>(), r["precision"].get<std::string>(),
        r["batch"].get<int64_t>(), r["median_ms"].get<double>(), r["p95_ms"].get<double>(),
        r["min_ms"].get<double>(), r["gflops"].get<double>(), r["dispatches"].get<int64_t>(),
        r["barriers"].get<int64_t>(), r["load_ms"].get<double>(),
        r["arena_bytes"].get<double>() * 1e-6);
}

void print_split(const RunTimes& times) {
  fmt::print(
      "    of {:.3f} ms: upload {:.3f}, compute {:.3f}, read-back {:.3f}, host {:.3f} ms{}\n",
      times.wall_ms, times.sum_ms(Stage::upload), times.sum_ms(Stage::compute),
      times.sum_ms(Stage::read_back), times.host_ms(),
      times.overlap_ms() > 0 ? fmt::format("; {:.3f} ms side by side", times.overlap_ms()) : "");
  if (!times.device_clock)
    fmt::print("    the GPU has no timestamps: its copies count as computing\n");
}

void print_layers(const Json& layers, const std::vector<BenchCase>& cases, int most) {
  if (cases.size() < 2 || layers.empty()) return;
  auto slowest = [](const Json& layer) {
    double ms = 0;
    for (const auto& time : layer["devices"])
      ms = std::max(ms, time.get<double>());
    return ms;
  };
  std::vector<const Json*> rows;
  for (const Json& layer : layers)
    rows.push_back(&layer);
  std::ranges::stable_sort(rows, [&](auto* a, auto* b) { return slowest(*a) > slowest(*b); });
  if (most > 0) rows.resize(std::min(rows.size(), static_cast<size_t>(most)));
  fmt::print("\nlayers side by side, {} of {}, slowest first; ms\n", rows.size(), layers.size());
  for (const Json* row : rows) {
    std::string fastest;
    double least = 0;
    for (const auto& [device, ms] : (*row)["devices"].items()) {
      fmt::print("{} {:>9.4f}  ", device, ms.get<double>());
      if (fastest.empty() || ms.get<double>() < least) fastest = device, least = ms.get<double>();
    }
    fmt::print("{:<7} {:<20} {:>14}  {}\n", fastest, (*row)["op"].get<std::string>(),
               (*row)["output"].get<std::string>(), (*row)["name"].get<std::string>());
  }
}

}  // namespace

void print_bench(const BenchOptions& options, const std::vector<BenchCase>& cases,
                 const Json& document) {
  print_table(options, document["runs"]);
  for (const BenchCase& c : cases) {
    fmt::print("  {} = {}\n", c.device, c.opened->note);
    print_test_data(c);
    print_split(median_run(c));
    if (const Plan& plan = c.session->plan(); plan.costs)
      fmt::print("    predicted {:.3f} ms in {} partitions\n", plan.estimate.ms,
                 plan.partitions.size());
    if (const PartitionStats stats = c.session->stats(); stats.choices > 0)
      fmt::print("    tuned {} of {} convolutions; {} differ from the rules\n", stats.timed_choices,
                 stats.choices, stats.changed_choices);
    if (c.in_flight_per_s > 0)
      fmt::print("    inputs copied in each time: {:.1f} runs/s alone, {:.1f} with {} in flight\n",
                 c.alone_per_s, c.in_flight_per_s, c.session->slots());
    for (const std::string& sentence : advice(facts_of(c, options.engine)))
      fmt::print("    advice: {}\n", sentence);
  }
  for (const BenchCase& c : cases) {
    if (!c.startup.is_null()) print_startup(c.device, c.startup);
    if (c.profile && options.tells_layers())
      print_profile(*c.profile, options.layers, percentile(c.times, 0.5));
  }
  if (options.tells_layers()) print_layers(document["layers"], cases, options.layers);
}

Json bench_json(const BenchOptions& options, const std::vector<BenchCase>& cases) {
  Json runs = Json::array();
  for (const BenchCase& c : cases)
    runs.push_back(as_json(c, options.engine));
  Json document = {{"schema", 1},
                   {"model", options.model},
                   {"warmup", options.warmup},
                   {"threads", threads_of(options.engine)},
                   {"runs", runs}};
  if (options.times_layers()) document["layers"] = layers_json(cases);
  return document;
}

}  // namespace vultus::app
