#include "models/process/settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace vultus {

namespace {

constexpr std::array<std::string_view, 4> kTablesAlone{"format", "report", "baseline",
                                                       "pupil-distance"};
constexpr std::string_view kNetwork = "network ";

std::string on(bool value) {
  return value ? "on" : "off";
}

/// Those of the tables that have a value to keep.
std::vector<Setting> table_settings(const ProcessOptions& options) {
  return {{"format", options.openface ? "openface" : "vultus"},
          {"baseline", to_text(options.baseline)},
          {"pupil-distance", fmt::format("{}", options.pupil_distance_mm)}};
}

void set(ProcessOptions& options, const Setting& setting) {
  const std::string& value = setting.value;
  if (setting.name == "format") {
    options.openface = value == "openface";
  } else if (setting.name == "baseline") {
    if (const auto choice = measure::parse_baseline(value)) options.baseline = *choice;
  } else if (setting.name == "pupil-distance") {
    double distance = 0;
    std::from_chars(value.data(), value.data() + value.size(), distance);
    if (distance >= measure::kLeastPupilDistance && distance <= measure::kMostPupilDistance)
      options.pupil_distance_mm = distance;
  }
}

std::string value_of(const std::vector<Setting>& settings, const std::string& name) {
  const auto at = std::ranges::find(settings, name, &Setting::name);
  return at == settings.end() ? "not there" : at->value;
}

}  // namespace

std::string device_names(const std::vector<Device*>& devices) {
  std::string names;
  for (const Device* device : devices)
    names += (names.empty() ? "" : ", ") + device->info().name;
  return names;
}

std::vector<Setting> settings_of(const ProcessOptions& options, const Pack& pack) {
  std::vector<Setting> settings{{"search-every", std::to_string(options.search_every)},
                                {"faces", options.all_faces ? "all" : "one"},
                                {"smooth", on(options.smooth)},
                                {"batch", std::to_string(options.frames_together())},
                                {"mirror", on(options.mirror)},
                                {"overlay", on(options.overlay)},
                                {"format", options.openface ? "openface" : "vultus"},
                                {"report", on(options.report)},
                                {"precision", std::string(name_of(options.precision))},
                                {"device", device_names(options.devices)},
                                {"baseline", to_text(options.baseline)},
                                {"pupil-distance", fmt::format("{}", options.pupil_distance_mm)},
                                {"mirrored-input", options.sides.mirrored_input ? "yes" : "no"}};
  for (const auto& [role, network] : pack.networks)
    settings.push_back({std::string(kNetwork) + role, network.sha256});
  return settings;
}

std::string to_text(const std::vector<Setting>& settings) {
  std::string text;
  for (const Setting& setting : settings)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", setting.name, setting.value);
  return text;
}

bool concerns_tables_alone(const Setting& setting) {
  return std::ranges::find(kTablesAlone, setting.name) != kTablesAlone.end();
}

std::string measured_from(const std::vector<Setting>& settings, const std::string& source) {
  std::vector<Setting> measured = settings;
  std::erase_if(measured, concerns_tables_alone);
  return fmt::format("{}; {}", to_text(measured), source);
}

std::vector<Setting> kept_settings(const ProcessOptions& options,
                                   const std::vector<Setting>& before) {
  std::vector<Setting> kept;
  for (const std::string& name : options.unnamed) {
    const auto was = std::ranges::find(before, name, &Setting::name);
    if (was == before.end() || was->value == value_of(table_settings(options), name)) continue;
    ProcessOptions trial = options;
    set(trial, *was);
    // Else it is none that a run could have written.
    if (value_of(table_settings(trial), name) == was->value) kept.push_back(*was);
  }
  return kept;
}

std::vector<std::string> command_words(const std::vector<Setting>& settings) {
  std::vector<std::string> words;
  for (const Setting& setting : settings)
    words.insert(words.end(), {"--" + setting.name, setting.value});
  return words;
}

ProcessOptions with_settings(ProcessOptions options, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings)
    set(options, setting);
  const std::vector<std::string> words = command_words(settings);
  for (const std::string& word : words)
    options.command += " " + word;
  if (options.again)
    options.again = [again = options.again, words](const std::string& input) {
      std::vector<std::string> all = again(input);
      all.insert(all.end(), words.begin(), words.end());
      return all;
    };
  return options;
}

Differences differences_of(const std::vector<Setting>& before, const std::vector<Setting>& now) {
  std::vector<Setting> all = now;
  for (const Setting& old : before)
    if (std::ranges::find(all, old.name, &Setting::name) == all.end()) all.push_back(old);
  Differences found;
  for (const Setting& setting : all) {
    const std::string was = value_of(before, setting.name), is = value_of(now, setting.name);
    if (was == is) continue;
    found.in_tables_alone &= concerns_tables_alone(setting);
    if (!found.text.empty()) found.text += "; ";
    // Its value is a checksum.
    found.text += setting.name.starts_with(kNetwork)
                      ? fmt::format("another {}", setting.name)
                      : fmt::format("{} {}, now {}", setting.name, was, is);
  }
  return found;
}

}  // namespace vultus
