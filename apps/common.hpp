#pragma once

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/run/session.hpp"
#include "report/page.hpp"

namespace vultus::app {

using Json = nlohmann::ordered_json;

/// Process exit codes; cli.md and `vultus --help` list them.
enum ExitCode : int {
  kComplete = 0,
  kFailure = 1,
  kUsage = 2,
  kPartial = 3,
  kInputUnreadable = 4,
  kModelRejected = 5,
  kNoDevice = 6,
  kDeviceLost = 7,
  kOutputNotWritable = 8,
  kMismatch = 9,
  kInterrupted = 130,
};
ExitCode exit_code(Errc code);

/// Prints "vultus: <what>" to stderr; returns the exit code.
int report(const Error& error);
/// Quoted for a POSIX shell where it must be.
std::string shell_word(const std::string& word);
/// This program's own path and the words, quoted for a shell: runs from any folder.
std::string vultus_command(const std::vector<std::string>& words);
/// From the root, without "." and "..".
std::string absolute_path(const std::string& path);
/// The command line, the version, the time and the network's file, for pages. `remember_command`
/// comes first.
void remember_command(int argc, char** argv);
report::Provenance provenance(const std::string& model);
/// One line of JSON on stdout; bytes that are not UTF-8 are replaced.
void print_json(const Json& json);

/// --device, --precision, --recipe, --threads, --shape, --device-index, --conv, --tune, --no-tune,
/// --pin, --no-fuse, --json: what commands on a network share.
struct EngineOptions {
  std::string device = "auto";
  std::string precision = "fp16";
  std::string recipe;
  int threads = 0;
  std::string gpu_selector;
  std::string conv = "auto";
  std::vector<std::string> shapes;
  std::vector<std::string> pins;
  bool tune = false, no_tune = false, no_fuse = false;
  bool json = false;

  void add_to(CLI::App& command, bool with_device = true);
  Result<std::map<std::string, Shape>> shape_bindings() const;
  /// The file of --precision mixed: --recipe, or MODEL.mixed.json.
  std::string recipe_of(const std::string& model) const;
  /// The options again as words of a command line, without --device and --json.
  std::vector<std::string> arguments() const;
};

/// The devices that --device asks for, opened, in order of preference; `note` says what was chosen
/// and why.
struct OpenedDevices {
  std::vector<std::unique_ptr<Device>> owned;
  std::string note;
  Goal goal = Goal::preference;  ///< fastest: of auto and hybrid
  std::vector<Device*> preference() const;
};
Result<OpenedDevices> open_devices(const EngineOptions& options, const std::string& device);
/// Of --tune and --no-tune.
Tuning tuning_of(const EngineOptions& options);
/// Of the same, for commands that do not talk about costs.
CostSource costs_of(const EngineOptions& options);
/// fp16 for "mixed".
Precision parse_precision(const std::string& text);
/// `explain`: costs are measured where they are not kept yet, for commands that talk about them.
Result<SessionOptions> session_options(const std::string& model, const EngineOptions& options,
                                       const OpenedDevices& devices, bool explain = false);
Result<Session> load_session(const std::string& model, const EngineOptions& options,
                             const OpenedDevices& devices, bool explain = false);

/// Subcommands: each adds itself to the application and stores its exit code in `status` when it
/// was called.
void add_devices(CLI::App& app, int& status);
void add_run(CLI::App& app, int& status);
void add_plan(CLI::App& app, int& status);
void add_bench(CLI::App& app, int& status);
void add_check(CLI::App& app, int& status);
void add_inspect(CLI::App& app, int& status);
void add_process(CLI::App& app, int& status);
void add_verify(CLI::App& app, int& status);
void add_convert(CLI::App& app, int& status);
void add_operators(CLI::App& app, int& status);
void add_doctor(CLI::App& app, int& status);
void add_completion(CLI::App& app, int& status);
void add_manual(CLI::App& app, int& status);

/// What this build knows of Vulkan: gpu_linked.cpp or gpu_absent.cpp, chosen at link time.
Result<std::unique_ptr<Device>> open_gpu(const EngineOptions& options, bool allow_software);
Json describe_gpus();
bool has_gpu_kernel(std::string_view op);

/// SHA-256 of a file in hexadecimal digits; nothing where it cannot be read, or in a build without
/// the face pipeline, whose library sums (face_absent.cpp).
std::optional<std::string> network_sha256(const std::string& path);

}  // namespace vultus::app
