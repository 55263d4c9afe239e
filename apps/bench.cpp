#include <fmt/format.h>

#include "apps/bench_html.hpp"
#include "apps/bench_report.hpp"
#include "apps/startup.hpp"
#include "host/core/stopwatch.hpp"
#include "host/core/write_file.hpp"

namespace vultus::app {

namespace {

/// Runs whose times are kept apart; the one nearest the median is told.
constexpr size_t kSplitsKept = 1000;

Result<BenchCase> prepare(const BenchOptions& options, const std::string& device, int64_t batch) {
  BenchCase c;
  c.device = device;
  c.batch = batch;
  VULTUS_TRY(OpenedDevices opened, open_devices(options.engine, device));
  c.opened = std::make_unique<OpenedDevices>(std::move(opened));
  Stopwatch watch;
  const bool weighs = c.opened->goal == Goal::fastest && c.opened->owned.size() > 1;
  VULTUS_TRY(SessionOptions wanted,
             session_options(options.model, options.engine, *c.opened, weighs));
  wanted.in_flight = static_cast<size_t>(options.in_flight);
  wanted.batch = batch;
  VULTUS_TRY(Session session, Session::load(options.model, wanted));
  c.session = std::make_unique<Session>(std::move(session));
  c.load_ms = watch.lap_ms();
  VULTUS_TRY(c.data, read_inputs(c.session->graph(), options.inputs, true, 1));
  watch.lap_ms();
  VULTUS_CHECK(set_inputs(*c.session, c.data.sets[0]));
  VULTUS_CHECK(c.session->run());
  c.first_ms = watch.lap_ms();
  c.errors = compare_outputs(*c.session, c.data.sets[0].outputs);
  for (int i = 1; i < options.warmup; ++i)
    VULTUS_CHECK(c.session->run());
  c.before = c.session->transfers();
  return c;
}

/// Runs per second, inputs set anew each time, with that many in flight.
Result<double> throughput(BenchCase& c, size_t slots, int runs) {
  Session& session = *c.session;
  auto start = [&](size_t slot) -> Result<void> {
    for (const auto& [name, tensor] : c.data.sets[0].inputs)
      VULTUS_CHECK(session.set_input(name, tensor.view(), slot));
    return session.submit(slot);
  };
  Stopwatch watch;
  for (int i = 0; i < runs; ++i)
    VULTUS_CHECK(start(static_cast<size_t>(i) % slots));
  for (size_t slot = 0; slot < slots; ++slot)
    VULTUS_CHECK(session.wait(slot));
  return 1e3 * runs / watch.lap_ms();
}

Result<void> measure_throughput(BenchCase& c, int slots, int runs) {
  VULTUS_TRY(c.alone_per_s, throughput(c, 1, runs));
  VULTUS_TRY(c.in_flight_per_s, throughput(c, static_cast<size_t>(slots), runs));
  return {};
}

/// The command line that repeats one case, without what it would print.
std::vector<std::string> arguments_of(const BenchOptions& options, const BenchCase& c) {
  std::vector<std::string> list = {"vultus", "bench", options.model, "--device", c.device,
                                   "--runs", "1",     "--warmup",    "1",        "--json"};
  for (const std::string& argument : options.engine.arguments())
    list.push_back(argument);
  if (c.batch > 0) list.insert(list.end(), {"--batch", std::to_string(c.batch)});
  return list;
}

/// Everything that is measured after the timed runs, so that it does not disturb them.
Result<void> measure_more(const BenchOptions& options, std::vector<BenchCase>& cases) {
  std::vector<Profile> profiles;
  for (BenchCase& c : cases) {
    if (options.in_flight > 1) VULTUS_CHECK(measure_throughput(c, options.in_flight, options.runs));
    if (options.startup) {
      VULTUS_TRY(c.startup, measure_startup(arguments_of(options, c)));
    }
    if (!options.times_layers() && options.trace.empty()) continue;
    VULTUS_TRY(Profile profiled, profile(*c.session, c.device));
    profiles.push_back(profiled);
    if (options.times_layers()) c.profile = std::move(profiled);
  }
  if (options.trace.empty()) return {};
  return write_trace(options.trace, profiles);
}

Result<void> print_floors(const BenchOptions& options) {
  Json list = Json::array();
  for (const std::string& device : options.devices) {
    VULTUS_TRY(OpenedDevices opened, open_devices(options.engine, device));
    VULTUS_TRY(DeviceSpeed speed, opened.owned[0]->speed(true));
    list.push_back({{"device", device},
                    {"name", opened.owned[0]->info().name},
                    {"driver", opened.owned[0]->info().driver},
                    {"gflops", speed.gflops},
                    {"copy_gb_per_s", speed.copy_gb_per_s},
                    {"dispatch_us", speed.dispatch_us},
                    {"dependent_dispatch_us", speed.dependent_us},
                    {"submit_us", speed.submit_us}});
  }
  if (options.engine.json) {
    print_json({{"schema", 1}, {"devices", list}});
    return {};
  }
  for (const Json& d : list)
    fmt::print(
        "{} ({})\n  fp32 multiply-adds {:.0f} GFLOP/s, copy {:.1f} GB/s read and written\n"
        "  empty dispatch {:.2f} us, {:.2f} us after a barrier, {:.1f} us from submit to done\n",
        d["name"].get<std::string>(), d["driver"].get<std::string>(), d["gflops"].get<double>(),
        d["copy_gb_per_s"].get<double>(), d["dispatch_us"].get<double>(),
        d["dependent_dispatch_us"].get<double>(), d["submit_us"].get<double>());
  return {};
}

Result<void> bench(const BenchOptions& options) {
  if (options.floor) return print_floors(options);
  if (options.model.empty())
    return Error{Errc::usage, "no network was given: vultus bench MODEL.onnx, or --floor"};
  if (!options.html.empty()) VULTUS_CHECK(check_writable(options.html));
  std::vector<BenchCase> cases;
  std::vector<int64_t> batches =
      options.batches.empty() ? std::vector<int64_t>{0} : options.batches;
  for (const std::string& device : options.devices)
    for (int64_t batch : batches) {
      VULTUS_TRY(BenchCase c, prepare(options, device, batch));
      cases.push_back(std::move(c));
    }
  // Alternating, so that a slow minute of a shared machine hits every case alike.
  for (int i = 0; i < options.runs; ++i)
    for (BenchCase& c : cases) {
      Stopwatch watch;
      VULTUS_CHECK(c.session->run());
      c.times.push_back(watch.lap_ms());
      if (c.splits.size() < kSplitsKept) c.splits.push_back(c.session->run_times());
    }
  VULTUS_CHECK(measure_more(options, cases));
  const Json document = bench_json(options, cases);
  if (!options.html.empty()) VULTUS_CHECK(write_bench_page(options, cases, document));
  if (options.engine.json)
    print_json(document);
  else
    print_bench(options, cases, document);
  return {};
}

}  // namespace

void add_bench(CLI::App& app, int& status) {
  auto options = std::make_shared<BenchOptions>();
  auto* command = app.add_subcommand("bench", "time a network on devices side by side");
  command->add_option("model", options->model, "ONNX file");
  command->add_option("--device", options->devices, "gpu, cpu, hybrid, auto; several with commas")
      ->delimiter(',')
      ->check(CLI::IsMember({"auto", "gpu", "cpu", "hybrid"}))
      ->capture_default_str();
  command
      ->add_option(
          "--batch", options->batches,
          "batch sizes, with commas; a file's fixed batch of 1 is changed where samples stay "
          "apart")
      ->delimiter(',')
      ->check(CLI::Range(1, 4096));
  command->add_option("--runs", options->runs, "timed runs per case")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_option("--warmup", options->warmup, "untimed runs before")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option(
      "--input", options->inputs,
      std::string(kInputHelp) + ", of which the first is taken (default: seeded random values)");
  command->add_flag("--profile", options->profile,
                    "also time every dispatch or primitive: ms, GFLOP/s, GB/s and per cent of what "
                    "the device reaches at best");
  command->add_option("--layers", options->layers, "the same, but only the N slowest");
  command->add_option("--trace", options->trace,
                      "write that run as a Chrome trace (chrome://tracing, ui.perfetto.dev)");
  auto* html = command->add_option(
      "--html", options->html,
      "also write one page with everything: times, split, timeline, layers, placement");
  command
      ->add_option("--in-flight", options->in_flight,
                   "also runs per second when up to N runs overlap")
      ->check(CLI::Range(1, 8));
  command->add_flag("--startup", options->startup,
                    "also the time to the first result, with empty caches and with filled ones, "
                    "each in a process of its own");
  command
      ->add_flag("--floor", options->floor,
                 "no network: measure what the device reaches at best; the best ever is kept in "
                 "the cache folder")
      ->excludes(html);
  options->engine.add_to(*command, false);
  command->footer(
      "Timed steps wait for each other, so together they take longer than a run.\n"
      "Examples:\n  vultus bench model.onnx --device gpu,cpu --runs 50\n"
      "  vultus bench model.onnx --device gpu --profile --trace trace.json\n"
      "  vultus bench model.onnx --device cpu,gpu,hybrid --html bench.html");
  command->callback([options, &status] {
    auto done = bench(*options);
    status = done ? kComplete : report(done.error());
  });
}

}  // namespace vultus::app
