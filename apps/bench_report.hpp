#pragma once

#include <optional>

#include "apps/inputs.hpp"
#include "apps/profile.hpp"

namespace vultus::app {

struct BenchOptions {
  EngineOptions engine;
  std::string model, trace, html;
  std::vector<std::string> devices{"cpu"};
  std::vector<int64_t> batches;
  std::vector<std::string> inputs;
  int runs = 20;
  int warmup = 3;
  int layers = 0;
  int in_flight = 1;
  bool profile = false, startup = false, floor = false;

  bool tells_layers() const { return profile || layers > 0; }
  /// Layers are in the document.
  bool times_layers() const { return tells_layers() || !html.empty(); }
};

/// One configuration under test; `times` grows by one per round.
struct BenchCase {
  std::string device;
  int64_t batch = 0;  // 0: as the file says
  std::unique_ptr<OpenedDevices> opened;
  std::unique_ptr<Session> session;
  InputSets data;
  std::vector<OutputError> errors;  ///< of the first run, against the test data
  double load_ms = 0, first_ms = 0;
  std::vector<double> times;
  std::vector<RunTimes> splits;  ///< of the first runs, as many as are kept
  Transfers before;
  double alone_per_s = 0, in_flight_per_s = 0;
  Json startup;
  std::optional<Profile> profile;
};

double percentile(std::vector<double> times, double p);
/// The document of `bench --json`.
Json bench_json(const BenchOptions& options, const std::vector<BenchCase>& cases);
/// The same as text.
void print_bench(const BenchOptions& options, const std::vector<BenchCase>& cases,
                 const Json& document);

}  // namespace vultus::app
