#include "models/process/run_manifest.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/file/file.hpp"
#include "models/pack/sha256.hpp"
#include "models/process/program.hpp"

namespace vultus {

namespace {

using nlohmann::ordered_json;

constexpr int kSchema = 1;

Result<ordered_json> file_json(const std::string& name, const std::string& path) {
  VULTUS_TRY(std::string sum, sha256_of_file(path));
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (error)
    return Error{Errc::bad_input, fmt::format("{}: cannot be examined: {}", path, error.message())};
  return ordered_json{{"file", name}, {"bytes", bytes}, {"sha256", sum}};
}

ordered_json pack_json(const Pack& pack) {
  ordered_json networks = ordered_json::array();
  for (const auto& [role, network] : pack.networks)
    networks.push_back({{"role", role},
                        {"kind", network.kind},
                        {"sha256", network.sha256},
                        {"licence", network.licence.empty() ? pack.licence : network.licence}});
  return {{"name", pack.name},
          {"version", pack.version},
          {"licence", pack.licence},
          {"networks", networks}};
}

ordered_json devices_json(const std::vector<Device*>& devices) {
  ordered_json list = ordered_json::array();
  for (const Device* device : devices) {
    const DeviceInfo& info = device->info();
    list.push_back({{"name", info.name},
                    {"kind", info.kind == DeviceKind::gpu ? "gpu" : "cpu"},
                    {"driver", info.driver},
                    {"software", info.software}});
  }
  return list;
}

/// What head pose takes the camera for.
ordered_json camera_json(const measure::Camera& camera) {
  return {{"model", "pinhole"},
          {"focal_px", camera.focal_px},
          {"centre", {camera.centre.x, camera.centre.y}},
          {"origin", "assumed"}};
}

ordered_json pupil_distance_json(double millimetres, const RunCommands& commands) {
  const bool given = millimetres != measure::kUsualPupilDistance ||
                     std::ranges::find(commands.again, "--pupil-distance") != commands.again.end();
  return {{"value", millimetres}, {"origin", given ? "given" : "assumed"}};
}

}  // namespace

Result<void> write_run_manifest(const std::string& folder, const Summary& summary, const Pack& pack,
                                const std::vector<Device*>& devices, const RunCommands& commands,
                                const measure::MeasureOptions& measuring) {
  VULTUS_TRY(ordered_json input, file_json(summary.input, summary.input));
  ordered_json outputs = ordered_json::array();
  std::vector<std::string> names = summary.outputs;
  names.emplace_back("summary.json");
  for (const std::string& name : names) {
    VULTUS_TRY(ordered_json output, file_json(name, folder + "/" + name));
    outputs.push_back(std::move(output));
  }
  const std::string now =
      fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::now()));
  const ordered_json manifest{
      {"schema", kSchema},
      {"program",
       {{"name", "vultus"},
        {"version", program_version()},
        {"commit", program_commit()},
        {"build", program_build()}}},
      {"measured_by", summary.measured_by},
      {"command", commands.typed},
      {"make_again", commands.again},
      {"started", summary.started.empty() ? now : summary.started},
      {"finished", now},
      {"resumptions", summary.resumptions},
      {"input", input},
      {"settings", summary.settings},
      {"camera", camera_json(measure::Camera::assumed(measuring.picture))},
      {"pupil_distance_mm", pupil_distance_json(measuring.pupil_distance_mm, commands)},
      {"precision", summary.precision},
      {"batch", summary.batch},
      {"devices", devices_json(devices)},
      {"pack", pack_json(pack)},
      {"frames", summary.frames},
      {"complete", summary.complete},
      {"outputs", outputs}};
  return write_file(folder + "/run.json",
                    manifest.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace vultus
