#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "apps/common.hpp"
#include "host/ops/op.hpp"

namespace vultus::app {

namespace {

using Clock = std::chrono::steady_clock;

struct BenchOptions {
  EngineOptions engine;
  std::string model;
  std::vector<std::string> devices{"cpu"};
  std::vector<int64_t> batches;
  std::vector<std::string> inputs;
  int runs = 20;
  int warmup = 3;
  int layers = 0;
};

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// One configuration under test; `times` grows by one per round.
struct Case {
  std::string device;
  int64_t batch = 0;  // 0: as the file says
  std::unique_ptr<OpenedDevices> opened;
  std::unique_ptr<Session> session;
  double load_ms = 0, first_ms = 0;
  std::vector<double> times;
  Transfers before;
};

Result<Case> prepare(const BenchOptions& options, const std::string& device, int64_t batch) {
  Case c{.device = device,
         .batch = batch,
         .opened = nullptr,
         .session = nullptr,
         .times = {},
         .before = {}};
  VULTUS_TRY(OpenedDevices opened, open_devices(options.engine, device));
  c.opened = std::make_unique<OpenedDevices>(std::move(opened));
  EngineOptions engine = options.engine;
  if (batch > 0) {
    VULTUS_TRY(auto bindings, engine.shape_bindings());
    if (bindings.empty())
      return Error{Errc::usage,
                   "--batch needs the input's shape: --shape NAME=1x3x480x640 (the batch replaces "
                   "its first size)"};
    engine.shapes.clear();
    for (auto& [name, shape] : bindings) {
      shape[0] = batch;
      engine.shapes.push_back(fmt::format("{}={}", name, shape.str()));
    }
  }
  auto start = Clock::now();
  VULTUS_TRY(Session session, load_session(options.model, engine, *c.opened));
  c.session = std::make_unique<Session>(std::move(session));
  VULTUS_CHECK(set_inputs(*c.session, options.inputs, true));
  c.load_ms = ms_since(start);
  start = Clock::now();
  VULTUS_CHECK(c.session->run());
  c.first_ms = ms_since(start);
  for (int i = 1; i < options.warmup; ++i)
    VULTUS_CHECK(c.session->run());
  c.before = c.session->transfers();
  return c;
}

double percentile(std::vector<double> times, double p) {
  std::sort(times.begin(), times.end());
  return times[static_cast<size_t>(p * static_cast<double>(times.size() - 1) + 0.5)];
}

Json as_json(const Case& c, const EngineOptions& engine) {
  const Graph& graph = c.session->graph();
  int64_t work = 0;
  for (const Node& node : graph.nodes)
    work += macs(graph, node);
  double median = percentile(c.times, 0.5);
  PartitionStats stats = c.session->stats();
  const Transfers& after = c.session->transfers();
  auto runs = static_cast<int64_t>(c.times.size());
  bool gpu = c.session->plan().coverage_ops(graph, DeviceKind::gpu) > 0;
  return {{"device", c.device},
          {"chosen", c.opened->note},
          {"precision", gpu ? engine.precision : "fp32"},
          {"batch", c.batch > 0 ? c.batch : graph.shape(graph.inputs[0])[0]},
          {"runs", runs},
          {"median_ms", median},
          {"p95_ms", percentile(c.times, 0.95)},
          {"min_ms", percentile(c.times, 0)},
          {"gflops", 2e-6 * static_cast<double>(work) / median},
          {"load_ms", c.load_ms},
          {"first_ms", c.first_ms},
          {"partitions", c.session->plan().partitions.size()},
          {"dispatches", stats.dispatches},
          {"barriers", stats.barriers},
          {"reorders", stats.reorders},
          {"uploads", (after.uploads - c.before.uploads) / runs},
          {"downloads", (after.downloads - c.before.downloads) / runs},
          {"upload_bytes", stats.upload_bytes},
          {"download_bytes", stats.download_bytes},
          {"arena_bytes", stats.arena_bytes},
          {"weight_bytes", stats.weight_bytes}};
}

Result<void> print_layers(Case& c, int count) {
  VULTUS_TRY(auto times, c.session->profile());
  const Graph& graph = c.session->graph();
  std::stable_sort(times.begin(), times.end(),
                   [](const NodeTime& a, const NodeTime& b) { return a.ms > b.ms; });
  fmt::print("\n{}: slowest layers\n{:>10} {:>10}  {:<20} {:>14}  {}\n", c.device, "ms", "GFLOP/s",
             "operator", "output", "node");
  for (size_t i = 0; i < times.size() && i < static_cast<size_t>(count); ++i) {
    const Node& node = graph.node(times[i].node);
    fmt::print("{:>10.3f} {:>10.1f}  {:<20} {:>14}  {}\n", times[i].ms,
               2e-6 * static_cast<double>(macs(graph, node)) / std::max(times[i].ms, 1e-6), node.op,
               graph.shape(node.outputs[0]).str(), node.name);
  }
  return {};
}

Result<void> bench(const BenchOptions& options) {
  std::vector<Case> cases;
  std::vector<int64_t> batches =
      options.batches.empty() ? std::vector<int64_t>{0} : options.batches;
  for (const std::string& device : options.devices)
    for (int64_t batch : batches) {
      VULTUS_TRY(Case c, prepare(options, device, batch));
      cases.push_back(std::move(c));
    }
  // Alternating, so that a slow minute of a shared machine hits every case alike.
  for (int i = 0; i < options.runs; ++i)
    for (Case& c : cases) {
      auto start = Clock::now();
      VULTUS_CHECK(c.session->run());
      c.times.push_back(ms_since(start));
    }
  Json runs = Json::array();
  for (const Case& c : cases)
    runs.push_back(as_json(c, options.engine));
  if (options.engine.json) {
    print_json({{"schema", 1}, {"model", options.model}, {"runs", runs}});
    return {};
  }
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
  for (const Case& c : cases)
    fmt::print("  {} = {}\n", c.device, c.opened->note);
  if (options.layers > 0)
    for (Case& c : cases)
      VULTUS_CHECK(print_layers(c, options.layers));
  return {};
}

}  // namespace

void add_bench(CLI::App& app, int& status) {
  auto options = std::make_shared<BenchOptions>();
  auto* command = app.add_subcommand("bench", "time a network on devices side by side");
  command->add_option("model", options->model, "ONNX file")->required();
  command->add_option("--device", options->devices, "gpu, cpu, hybrid, auto; several with commas")
      ->delimiter(',')
      ->check(CLI::IsMember({"auto", "gpu", "cpu", "hybrid"}))
      ->capture_default_str();
  command->add_option("--batch", options->batches, "batch sizes, with commas; needs --shape")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096));
  command->add_option("--runs", options->runs, "timed runs per case")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_option("--warmup", options->warmup, "untimed runs before")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--input", options->inputs, "NAME=FILE.npy (default: seeded random values)");
  command->add_option("--layers", options->layers, "also print the N slowest layers");
  options->engine.add_to(*command, false);
  command->footer("Example:\n  vultus bench model.onnx --device gpu,cpu --runs 50");
  command->callback([options, &status] {
    auto done = bench(*options);
    status = done ? kComplete : report(done.error());
  });
}

}  // namespace vultus::app
