#include "apps/report/layers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "apps/report/charts.hpp"
#include "report/page.hpp"
#include "report/text.hpp"

namespace vultus::report {

double number_at(const Json& object, const char* key, double fallback) {
  return has_number(object, key) ? object.find(key)->get<double>() : fallback;
}

bool has_number(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number();
}

std::string text_at(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

const Json& array_at(const Json& object, const char* key) {
  static const Json none = Json::array();
  const auto it = object.find(key);
  return it != object.end() && it->is_array() ? *it : none;
}

std::string file_name(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

std::string device_name(const std::string& device) {
  return device == "gpu" ? "GPU" : device == "cpu" ? "CPU" : device;
}

std::string device_css(const std::string& device) {
  return device.starts_with("gpu") ? "gpu" : device.starts_with("cpu") ? "cpu" : "both";
}

namespace {

/// Devices that have a time for at least one layer.
std::vector<size_t> timed_devices(size_t devices, const std::vector<Layer>& layers) {
  std::vector<size_t> timed;
  for (size_t d = 0; d < devices; ++d)
    if (std::ranges::any_of(layers, [&](const Layer& layer) { return layer.ms[d] >= 0; }))
      timed.push_back(d);
  return timed;
}

double chosen_ms(const std::vector<std::string>& devices, const Layer& layer) {
  for (size_t d = 0; d < devices.size(); ++d)
    if (devices[d] == layer.chosen) return layer.ms[d];
  return -1;
}

/// Empty where none takes time, or several the least.
std::string fastest_of(const std::vector<std::string>& devices, const Layer& layer) {
  std::string fastest;
  double least = -1;
  for (size_t d = 0; d < devices.size(); ++d) {
    if (layer.ms[d] < 0 || (least >= 0 && layer.ms[d] > least)) continue;
    fastest = layer.ms[d] == least ? "" : devices[d];
    least = layer.ms[d];
  }
  return fastest;
}

std::string label_of(const std::vector<std::string>& devices, const Layer& layer) {
  std::string label = fmt::format("{} {}", layer.op, clipped(layer.name, 200));
  for (size_t d = 0; d < devices.size(); ++d)
    if (layer.ms[d] >= 0)
      label += fmt::format("\n{}: {}{}", device_name(devices[d]), ms(layer.ms[d]),
                           devices[d] == layer.chosen ? " (runs here)" : "");
  return layer.reason.empty() ? label : fmt::format("{}\n{}", label, clipped(layer.reason, 300));
}

std::string chart(const std::vector<std::string>& devices, const std::vector<Layer>& layers,
                  const std::string& source) {
  std::vector<Bars> panels;
  for (size_t d : timed_devices(devices.size(), layers)) {
    Bars panel{device_name(devices[d]), {}};
    for (const Layer& layer : layers) {
      const bool elsewhere = !layer.chosen.empty() && layer.chosen != devices[d];
      panel.bars.push_back({std::max(layer.ms[d], 0.0),
                            device_css(devices[d]) + (elsewhere ? " other" : ""),
                            label_of(devices, layer)});
    }
    panels.push_back(std::move(panel));
  }
  const bool pale = std::ranges::any_of(layers, [](const Layer& l) { return !l.chosen.empty(); });
  return figure(
      "layers",
      fmt::format("Time of each layer in order of execution, {}; every panel has its "
                  "own scale{}",
                  source, pale ? ". Pale: what the layer would take where it does not run" : ""),
      bar_chart("Time of each layer by device", "ms", panels));
}

std::string table(const std::vector<std::string>& devices, const std::vector<Layer>& layers,
                  const std::string& source) {
  const std::vector<size_t> timed = timed_devices(devices.size(), layers);
  auto known = [&](auto test) { return std::ranges::any_of(layers, test); };
  const bool chosen = known([](const Layer& l) { return !l.chosen.empty(); });
  const bool compares = !chosen && timed.size() > 1;
  const bool macs = known([](const Layer& l) { return l.macs >= 0; });
  const bool output = known([](const Layer& l) { return !l.output.empty(); });
  const bool reason = known([](const Layer& l) { return !l.reason.empty(); });
  double most = 0;
  for (const Layer& layer : layers)
    most = std::max(most, chosen_ms(devices, layer));
  using Kind = Table::Kind;
  std::vector<Table::Column> columns = {{"Layer"}, {"#", Kind::number}, {"Operator"}};
  if (output) columns.push_back({"Output"});
  if (chosen) columns.push_back({"Device"});
  for (size_t d : timed)
    columns.push_back({device_name(devices[d]) + ", ms", Kind::number});
  if (compares) columns.push_back({"Fastest"});
  if (chosen && most > 0) columns.push_back({"Share", Kind::bar});
  if (macs) columns.push_back({"MMAC", Kind::number});
  if (reason) columns.push_back({"Why there"});
  Table table(fmt::format("Every layer, {}", source), columns);
  for (size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = layers[i];
    const auto order = static_cast<double>(i + 1);
    std::vector<Table::Cell> row = {{layer.name}, {fmt::format("{}", i + 1), order}, {layer.op}};
    if (output) row.push_back({layer.output, 0, "shape"});
    if (chosen) row.push_back({device_name(layer.chosen), 0, "device " + device_css(layer.chosen)});
    for (size_t d : timed)
      row.push_back({layer.ms[d] < 0 ? "" : fmt::format("{:.3f}", layer.ms[d]), layer.ms[d],
                     devices[d] == layer.chosen ? "chosen" : ""});
    if (compares) {
      const std::string fastest = fastest_of(devices, layer);
      row.push_back(
          {device_name(fastest), 0, fastest.empty() ? "" : "device " + device_css(fastest)});
    }
    if (chosen && most > 0)
      row.push_back(
          {"", std::max(0.0, chosen_ms(devices, layer)) / most, device_css(layer.chosen)});
    if (macs) row.push_back({fmt::format("{:.2f}", layer.macs * 1e-6), layer.macs});
    if (reason) row.push_back({layer.reason});
    table.row(std::move(row));
  }
  return table.html();
}

}  // namespace

std::string layers_section(const std::vector<std::string>& devices,
                           const std::vector<Layer>& layers, const std::string& source) {
  if (layers.empty()) return {};
  return chart(devices, layers, source) + table(devices, layers, source);
}

std::string advice_section(const Json& advice) {
  std::vector<std::string> lines;
  for (const Json& one : advice)
    if (one.is_string()) lines.push_back(one.get<std::string>());
  return list(lines);
}

}  // namespace vultus::report
