#include "apps/doctor.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "apps/common.hpp"
#include "host/core/cache_file.hpp"

namespace vultus::app {

namespace {

namespace fs = std::filesystem;
using State = Finding::State;

constexpr double kGiB = 1024.0 * 1024 * 1024;
/// Three 1080p videos of ten minutes at the quality that is written take about this.
constexpr double kLittleSpace = 2 * kGiB;

Finding examine_cpu() {
  auto cpu = open_cpu();
  if (!cpu) return {State::failure, "CPU", cpu.error().what};
  return {State::fine, "CPU", fmt::format("{} ({})", (*cpu)->info().name, (*cpu)->info().driver)};
}

std::vector<Finding> examine_gpus() {
  const Json gpus = describe_gpus();
  if (gpus.contains("error"))
    return {
        {State::warning, "GPU",
         fmt::format("none: {}; everything runs on the CPU", gpus["error"].get<std::string>())}};
  std::vector<Finding> findings;
  bool usable = false;
  for (const Json& gpu : gpus.value("devices", Json::array())) {
    const bool software = gpu.value("type", "") == "software";
    usable |= !software;
    findings.push_back(
        {State::fine, fmt::format("GPU {}", gpu.value("index", 0)),
         fmt::format("{}{}", gpu.value("name", ""), software ? ": " + gpu.value("use", "") : "")});
  }
  if (!usable)
    findings.push_back(
        {State::warning, "GPU",
         "no hardware device: networks run on the CPU. Where there is a GPU, install "
         "its Vulkan driver; `vultus devices` says what is found"});
  return findings;
}

/// Can files be made there, and is there room for results?
Finding examine_output(const std::string& folder) {
  std::error_code error;
  fs::path existing = fs::absolute(folder, error);
  while (!existing.empty() && !fs::exists(existing, error) && existing != existing.parent_path())
    existing = existing.parent_path();
  if (!fs::is_directory(existing, error))
    return {State::failure, "output", fmt::format("{} is not a folder", existing.string())};
  if (access(existing.c_str(), W_OK | X_OK) != 0)
    return {State::failure, "output",
            fmt::format("no permission to write in {}: choose another folder", existing.string())};
  struct statvfs room {};
  if (statvfs(existing.c_str(), &room) != 0)
    return {State::warning, "output", fmt::format("{}: room unknown", existing.string())};
  const double free = static_cast<double>(room.f_bavail) * static_cast<double>(room.f_frsize);
  if (free < kLittleSpace)
    return {State::warning, "output",
            fmt::format("{:.1f} GiB free in {}: little for videos; `vultus process --dry-run` "
                        "estimates what yours need",
                        free / kGiB, existing.string())};
  return {State::fine, "output",
          fmt::format("{:.0f} GiB free in {}", free / kGiB, existing.string())};
}

Finding examine_cache() {
  const std::string folder = default_cache_folder();
  const char* lost = "shaders are compiled and kernels timed anew at every start";
  if (folder.empty())
    return {State::warning, "cache",
            fmt::format("neither XDG_CACHE_HOME nor HOME names a folder: {}", lost)};
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || access(folder.c_str(), W_OK | X_OK) != 0)
    return {State::warning, "cache", fmt::format("{} cannot be written: {}", folder, lost)};
  return {State::fine, "cache", folder};
}

int doctor(const std::string& pack, const std::string& out, bool json) {
  std::vector<Finding> findings{examine_cpu()};
  for (std::vector<Finding>& more : std::array{examine_gpus(), examine_face_pipeline(pack)})
    findings.insert(findings.end(), more.begin(), more.end());
  findings.push_back(examine_cache());
  findings.push_back(examine_output(out));

  constexpr std::array kNames{"ok", "warning", "FAILED"};
  bool failed = false;
  Json lines = Json::array();
  for (const Finding& finding : findings) {
    const char* name = kNames.at(static_cast<size_t>(finding.state));
    failed |= finding.state == State::failure;
    if (json)
      lines.push_back({{"state", name}, {"subject", finding.subject}, {"text", finding.text}});
    else
      fmt::print("{:<8} {:<14} {}\n", name, finding.subject, finding.text);
  }
  if (json)
    print_json({{"schema", 1}, {"ready", !failed}, {"findings", lines}});
  else
    fmt::print("{}\n", failed ? "not ready: see FAILED above" : "ready for vultus process");
  return failed ? kFailure : kComplete;
}

}  // namespace

void add_doctor(CLI::App& app, int& status) {
  struct Options {
    std::string pack, out = ".";
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand(
      "doctor", "check devices, drivers, model pack, video encoder, disk and permissions");
  command->add_option("--pack", options->pack, "model pack, as for process");
  command->add_option("-o,--output", options->out, "where results are to go")
      ->capture_default_str();
  command->add_flag("--json", options->json, "one JSON document on stdout");
  command->callback(
      [options, &status] { status = doctor(options->pack, options->out, options->json); });
}

}  // namespace vultus::app
