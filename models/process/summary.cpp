#include "models/process/summary.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace vultus {

using nlohmann::ordered_json;

namespace {

ordered_json number_or_null(const std::optional<double>& value) {
  return value ? ordered_json(*value) : ordered_json();
}

}  // namespace

std::string to_json(const Summary& s) {
  ordered_json stages = ordered_json::array();
  for (const face::StageTimes::Row& row : s.stages)
    stages.push_back({{"name", row.name},
                      {"calls", row.calls},
                      {"total_ms", row.total_ms},
                      {"mean_ms", row.mean_ms},
                      {"p95_ms", row.p95_ms},
                      {"min_ms", row.min_ms},
                      {"max_ms", row.max_ms},
                      {"busy_ms", row.busy_ms}});
  ordered_json options = ordered_json::object();
  for (const Setting& setting : s.options)
    options[setting.name] = setting.value;
  ordered_json object{{"schema", 1},
                      {"status", s.complete ? "complete" : "partial"},
                      {"complete", s.complete},
                      {"input", s.input},
                      {"input_path", s.input_path},
                      {"frames", s.frames},
                      {"declared_frames", s.declared_frames},
                      {"lost_frames", s.lost_frames},
                      {"damaged_frames", s.damaged_frames},
                      {"faces", s.faces},
                      {"frames_without_face", s.frames_without_face},
                      {"usable_frames", s.usable_frames},
                      {"fps", s.fps},
                      {"seconds", s.seconds},
                      {"video_fps", s.video_fps},
                      {"time_base", s.time_base},
                      {"device", s.device},
                      {"precision", s.precision},
                      {"pack", s.pack},
                      {"uploads", s.transfers.uploads},
                      {"downloads", s.transfers.downloads},
                      {"upload_bytes", s.transfers.upload_bytes},
                      {"download_bytes", s.transfers.download_bytes},
                      {"stages", stages},
                      {"busy_seconds", s.busy_seconds},
                      {"outputs", s.outputs},
                      {"lost", s.lost},
                      {"warnings", s.warnings},
                      {"asymmetry", s.asymmetry},
                      {"baseline",
                       {{"from", number_or_null(s.baseline.from)},
                        {"to", number_or_null(s.baseline.to)},
                        {"frames", s.baseline.frames},
                        {"how", s.baseline.how}}},
                      {"mm_per_pixel", number_or_null(s.mm_per_pixel)},
                      {"sheet_numbers", s.sheet_numbers},
                      {"valid_numbers", s.valid_numbers},
                      {"sides", "left and right are the subject's own"},
                      {"source", s.source},
                      {"settings", s.settings},
                      {"options", options}};
  // File names are bytes; what is not UTF-8 becomes a replacement character.
  return object.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<void> write_summary(const std::string& path, const Summary& summary) {
  const std::string text = to_json(summary);
  std::FILE* file = std::fopen(path.c_str(), "wb");
  bool ok = file && std::fwrite(text.data(), 1, text.size(), file) == text.size() &&
            std::fflush(file) == 0 && fsync(fileno(file)) == 0;
  int error = errno;
  if (file && std::fclose(file) != 0) ok = false;
  if (!ok)
    return Error{Errc::unwritable, fmt::format("{}: cannot be written: {}", path, strerror(error))};
  return {};
}

std::optional<Summary> read_summary(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  ordered_json object = ordered_json::parse(file, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  auto number = [&](const char* key, auto& to) {
    if (auto at = object.find(key); at != object.end() && at->is_number()) at->get_to(to);
  };
  auto text = [&](const char* key, std::string& to) {
    if (auto at = object.find(key); at != object.end() && at->is_string()) at->get_to(to);
  };
  auto texts = [&](const char* key, std::vector<std::string>& to) {
    auto at = object.find(key);
    if (at == object.end() || !at->is_array()) return;
    for (const auto& line : *at)
      if (line.is_string()) to.push_back(line.get<std::string>());
  };
  Summary s;
  if (auto at = object.find("complete"); at != object.end() && at->is_boolean())
    at->get_to(s.complete);
  text("input", s.input);
  text("input_path", s.input_path);
  text("device", s.device);
  text("source", s.source);
  text("settings", s.settings);
  number("frames", s.frames);
  number("declared_frames", s.declared_frames);
  number("lost_frames", s.lost_frames);
  number("damaged_frames", s.damaged_frames);
  number("faces", s.faces);
  number("frames_without_face", s.frames_without_face);
  number("frames_without_face", s.frames_without_face);
  number("seconds", s.seconds);
  number("fps", s.fps);
  if (auto at = object.find("options"); at != object.end() && at->is_object())
    for (const auto& [name, value] : at->items())
      if (value.is_string()) s.options.push_back({name, value.get<std::string>()});
  texts("outputs", s.outputs);
  texts("lost", s.lost);
  texts("warnings", s.warnings);
  texts("asymmetry", s.asymmetry);
  return s;
}

}  // namespace vultus
