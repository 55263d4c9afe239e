#include "apps/common.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <filesystem>

#include "host/run/accuracy.hpp"
#include "report/text.hpp"

namespace vultus::app {

ExitCode exit_code(Errc code) {
  switch (code) {
    case Errc::usage:
      return kUsage;
    case Errc::bad_input:
      return kInputUnreadable;
    case Errc::bad_model:
      return kModelRejected;
    case Errc::no_device:
      return kNoDevice;
    case Errc::device_lost:
    case Errc::out_of_memory:
      return kDeviceLost;
    case Errc::unwritable:
      return kOutputNotWritable;
    case Errc::mismatch:
      return kMismatch;
    case Errc::interrupted:
      return kInterrupted;
    case Errc::internal:
      return kFailure;
  }
  return kFailure;
}

int report(const Error& error) {
  fmt::print(stderr, "vultus: {}\n", error.what);
  return exit_code(error.code);
}

namespace {

std::string command_line;

}  // namespace

std::string shell_word(const std::string& word) {
  if (!word.empty() && word.find_first_of(" \t\n'\"\\$`*?;&|<>()") == std::string::npos)
    return word;
  std::string text = "'";
  for (char c : word)
    text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

std::string vultus_command(const std::vector<std::string>& words) {
  std::error_code unknown;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe", unknown).string();
  std::string line = unknown ? "vultus" : shell_word(self);
  for (const std::string& word : words)
    line += " " + shell_word(word);
  return line;
}

std::string absolute_path(const std::string& path) {
  std::error_code unknown;
  const auto whole = std::filesystem::absolute(path, unknown);
  if (unknown) return path;
  // A trailing slash would be an empty name.
  const std::string text = whole.lexically_normal().string();
  return text.size() > 1 && text.ends_with('/') ? text.substr(0, text.size() - 1) : text;
}

void remember_command(int argc, char** argv) {
  command_line.clear();
  for (int i = 0; i < argc; ++i) {
    const std::string word = i == 0 ? "vultus" : argv[i];
    command_line += (i > 0 ? " " : "") + shell_word(word);
  }
}

report::Provenance provenance(const std::string& model) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char date[32] = {};
  std::strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &utc);
  std::string network = model;
  std::error_code unknown;
  if (const auto size = std::filesystem::file_size(model, unknown); !unknown)
    network += ", " + report::bytes(static_cast<double>(size));
  if (auto sum = network_sha256(model)) network += ", SHA-256 " + *sum;
  return {command_line, VULTUS_VERSION, date, network};
}

void print_json(const Json& json) {
  fmt::print("{}\n", json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void EngineOptions::add_to(CLI::App& command, bool with_device) {
  if (with_device)
    command.add_option("--device", device, "where to run: auto, gpu, cpu or hybrid")
        ->check(CLI::IsMember({"auto", "gpu", "cpu", "hybrid"}))
        ->capture_default_str();
  command
      .add_option("--precision", precision,
                  "storage on the GPU: fp16, fp32, or mixed: fp16 save what `vultus check` found "
                  "unsafe (the CPU computes in fp32)")
      ->check(CLI::IsMember({"fp16", "fp32", "mixed"}))
      ->capture_default_str();
  command.add_option("--recipe", recipe, "file of `vultus check` for mixed (MODEL.mixed.json)");
  command.add_option("--threads", threads, "CPU threads (default: what the cgroup allows)")
      ->check(CLI::Range(1, 1024));
  command.add_option("--shape", shapes, "binds symbolic sizes: NAME=1x3x480x640");
  command.add_option("--device-index", gpu_selector,
                     "which GPU: number, part of its name, or UUID");
  command
      .add_option(
          "--conv", conv,
          "convolution kernels on the GPU: auto, direct, tile or coop (cooperative matrices)")
      ->check(CLI::IsMember({"auto", "direct", "tile", "coop"}))
      ->capture_default_str();
  command.add_option(
      "--pin", pins,
      "run a node on one device: NODE=cpu, NODE=gpu, op:OPERATOR=cpu; several times");
  command.add_flag("--no-fuse", no_fuse, "keep layers apart that would be computed as one");
  auto* measure = command.add_flag("--tune", tune,
                                   "time kernels and layers that were not timed yet and keep what "
                                   "is fastest here; later runs use it");
  command
      .add_flag("--no-tune", no_tune,
                "choose kernels and devices by rules only: the same on every run")
      ->excludes(measure);
  command.add_flag("--json", json, "one JSON document on stdout");
}

Result<std::map<std::string, Shape>> EngineOptions::shape_bindings() const {
  std::map<std::string, Shape> bindings;
  for (const std::string& text : shapes) {
    size_t equals = text.rfind('=');
    auto shape = equals == std::string::npos ? std::nullopt : parse_shape(text.substr(equals + 1));
    if (!shape)
      return Error{Errc::usage, fmt::format("--shape {}: expected NAME=1x3x480x640", text)};
    bindings[text.substr(0, equals)] = *shape;
  }
  return bindings;
}

std::vector<std::string> EngineOptions::arguments() const {
  std::vector<std::string> list = {"--precision", precision};
  if (!recipe.empty()) list.insert(list.end(), {"--recipe", recipe});
  if (threads > 0) list.insert(list.end(), {"--threads", std::to_string(threads)});
  if (!gpu_selector.empty()) list.insert(list.end(), {"--device-index", gpu_selector});
  if (conv != "auto") list.insert(list.end(), {"--conv", conv});
  for (const std::string& pin : pins)
    list.insert(list.end(), {"--pin", pin});
  if (no_fuse) list.push_back("--no-fuse");
  if (tune) list.push_back("--tune");
  if (no_tune) list.push_back("--no-tune");
  for (const std::string& shape : shapes)
    list.insert(list.end(), {"--shape", shape});
  return list;
}

std::vector<Device*> OpenedDevices::preference() const {
  std::vector<Device*> list;
  for (const auto& device : owned)
    list.push_back(device.get());
  return list;
}

Result<OpenedDevices> open_devices(const EngineOptions& options, const std::string& device) {
  OpenedDevices opened;
  if (device == "auto" || device == "hybrid") opened.goal = Goal::fastest;
  VULTUS_TRY(auto cpu, open_cpu(options.threads));
  if (device != "cpu") {
    bool asked_for = device != "auto" || !options.gpu_selector.empty() || options.conv != "auto";
    auto gpu = open_gpu(options, asked_for);
    if (gpu) {
      opened.note = fmt::format("GPU {} ({})", (*gpu)->info().name, (*gpu)->info().driver);
      if (opened.goal == Goal::fastest)
        opened.note += fmt::format(" and CPU {} ({})", cpu->info().name, cpu->info().driver);
      opened.owned.push_back(std::move(*gpu));
    } else if (asked_for) {
      return gpu.error();
    } else {
      opened.note = fmt::format("CPU {}: {}", cpu->info().name, gpu.error().what);
    }
  } else if (options.conv != "auto") {
    return Error{Errc::usage, fmt::format("--conv {} chooses GPU kernels: use --device gpu with it",
                                          options.conv)};
  } else {
    opened.note = fmt::format("CPU {}: asked for", cpu->info().name);
  }
  opened.owned.push_back(std::move(cpu));
  return opened;
}

std::string EngineOptions::recipe_of(const std::string& model) const {
  return recipe.empty() ? model + ".mixed.json" : recipe;
}

Precision parse_precision(const std::string& text) {
  return text == "fp32" ? Precision::fp32 : Precision::fp16;
}

Tuning tuning_of(const EngineOptions& options) {
  if (options.no_tune) return Tuning::rules;
  return options.tune ? Tuning::measure : Tuning::cached;
}

CostSource costs_of(const EngineOptions& options) {
  if (options.no_tune) return CostSource::model;
  return options.tune ? CostSource::measured : CostSource::kept;
}

Result<SessionOptions> session_options(const std::string& model, const EngineOptions& options,
                                       const OpenedDevices& devices, bool explain) {
  SessionOptions session;
  session.devices = devices.preference();
  session.precision = parse_precision(options.precision);
  if (options.precision == "mixed") {
    VULTUS_TRY(session.keep_fp32, read_recipe(options.recipe_of(model)));
  }
  VULTUS_TRY(session.shapes, options.shape_bindings());
  session.tuning = tuning_of(options);
  session.goal = devices.goal;
  session.fuse = !options.no_fuse;
  for (const std::string& text : options.pins) {
    VULTUS_TRY(Pin pin, parse_pin(text));
    session.pins.push_back(std::move(pin));
  }
  if (explain)
    session.costs = options.no_tune ? CostSource::model
                    : options.tune  ? CostSource::anew
                                    : CostSource::measured;
  else if (devices.goal == Goal::fastest && devices.owned.size() > 1)
    session.costs = costs_of(options);
  return session;
}

Result<Session> load_session(const std::string& model, const EngineOptions& options,
                             const OpenedDevices& devices, bool explain) {
  VULTUS_TRY(SessionOptions session, session_options(model, options, devices, explain));
  return Session::load(model, session);
}

}  // namespace vultus::app
