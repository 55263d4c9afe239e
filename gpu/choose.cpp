#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "gpu/device.hpp"

namespace vultus::gpu {

namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

/// An index there is means that device alone; other numbers are part of a name ("4090").
bool matches(const DeviceReport& report, const std::string& selector, size_t devices) {
  for (size_t i = 0; i < devices; ++i)
    if (selector == std::to_string(i)) return report.index == static_cast<int>(i);
  std::string wanted = lower(selector);
  return lower(report.name).find(wanted) != std::string::npos ||
         (wanted.size() >= 4 && lower(report.uuid).starts_with(wanted));
}

std::string list_of(const std::vector<DeviceReport>& reports) {
  std::string text;
  for (const DeviceReport& r : reports)
    text +=
        fmt::format("{}{} '{}'{}", text.empty() ? "" : ", ", r.index, r.name,
                    r.usable() ? (r.type == "software" ? " (software: only when asked for)" : "")
                               : " (" + r.refusal + ")");
  return text;
}

int rank_of(const DeviceReport& report) {
  if (report.type == "discrete") return 4;
  if (report.type == "integrated") return 3;
  if (report.type == "virtual") return 2;
  return report.type == "other" ? 1 : 0;
}

}  // namespace

Result<int> choose_device(const std::vector<DeviceReport>& reports, const OpenOptions& options) {
  if (!options.selector.empty()) {
    const DeviceReport* refused = nullptr;
    for (const DeviceReport& report : reports) {
      if (!matches(report, options.selector, reports.size())) continue;
      if (report.usable()) return report.index;
      refused = &report;
    }
    if (refused)
      return Error{Errc::no_device,
                   fmt::format("GPU '{}' cannot be used: {}", refused->name, refused->refusal)};
    return Error{Errc::no_device, fmt::format("no GPU matches '{}'; there are: {}",
                                              options.selector, list_of(reports))};
  }
  const DeviceReport* best = nullptr;
  for (const DeviceReport& report : reports) {
    if (!report.usable() || (report.type == "software" && !options.allow_software)) continue;
    if (!best || rank_of(report) > rank_of(*best)) best = &report;
  }
  if (!best)
    return Error{Errc::no_device, fmt::format("no usable GPU; there are: {}",
                                              reports.empty() ? "none" : list_of(reports))};
  return best->index;
}

}  // namespace vultus::gpu
