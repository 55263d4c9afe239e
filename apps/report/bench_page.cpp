#include "apps/report/bench_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "apps/report/bench_cases.hpp"
#include "report/text.hpp"

namespace vultus::report {

namespace {

using Kind = Table::Kind;

/// Which case is fastest, where batches are equal and the ranges say so.
std::string verdict(const std::vector<Case>& cases) {
  if (cases.size() < 2) return {};
  std::vector<const Case*> order;
  for (const Case& c : cases) {
    if (c.at("batch") != cases[0].at("batch")) return {};
    order.push_back(&c);
  }
  std::ranges::stable_sort(order, {}, [](const Case* c) { return c->at("median_ms"); });
  const Case &first = *order[0], &second = *order[1];
  if (first.at("p95_ms") >= second.at("min_ms"))
    return fmt::format(" {} and {} overlap in their ranges: which is faster is not settled.",
                       first.name, second.name);
  return fmt::format(" {} is the fastest, {} times as fast as {}.", first.name,
                     number(second.at("median_ms") / first.at("median_ms")), second.name);
}

std::string headline(const std::vector<Case>& cases) {
  std::string text;
  for (const Case& c : cases)
    text += fmt::format("{}{} {}", text.empty() ? "A run takes " : ", ", ms(c.at("median_ms")),
                        "(" + c.name + ")");
  if (cases.empty()) return "Nothing was run.";
  const std::string runs = count(cases[0].at("runs"), "run");
  return text +
         (cases.size() > 1 ? fmt::format(": medians of {} each, taken in turn.", runs)
                           : fmt::format(": the median of {}.", runs)) +
         verdict(cases);
}

std::vector<Page::Fact> facts(const Json& bench, const std::vector<Case>& cases) {
  std::vector<Page::Fact> list;
  for (const Case& c : cases)
    list.push_back({c.name + ", median", ms(c.at("median_ms"))});
  for (const Case& c : cases)
    list.push_back({c.name + ", 95 % within", ms(c.at("p95_ms"))});
  double macs = 0;
  for (const Json& layer : array_at(bench, "layers"))
    macs += number_at(layer, "macs");
  if (macs > 0) list.push_back({"Arithmetic", number(macs * 1e-9) + " GMAC"});
  return list;
}

std::vector<std::string> layer_devices(const Json& layers) {
  std::vector<std::string> devices;
  for (const Json& layer : layers)
    if (const auto of = layer.find("devices"); of != layer.end())
      for (const auto& [device, time] : of->items())
        if (std::ranges::find(devices, device) == devices.end()) devices.push_back(device);
  return devices;
}

/// Times of a layer in that order; negative: none.
std::vector<double> layer_times(const Json& layer, const std::vector<std::string>& devices) {
  std::vector<double> times;
  const auto of = layer.find("devices");
  for (const std::string& device : devices)
    times.push_back(of == layer.end() ? -1 : number_at(*of, device.c_str(), -1));
  return times;
}

std::string layers(const Json& bench) {
  const Json& list = array_at(bench, "layers");
  const std::vector<std::string> devices = layer_devices(list);
  std::vector<Layer> rows;
  for (const Json& layer : list)
    rows.push_back({text_at(layer, "name"),
                    text_at(layer, "op"),
                    text_at(layer, "output"),
                    {},
                    {},
                    number_at(layer, "macs", -1),
                    layer_times(layer, devices)});
  if (rows.empty()) return {};
  return paragraph(
             "Measured in a run of its own, in which every step waits for the one before: together "
             "they take longer than a run. Layers that a device computes within another one, or as "
             "a view, take no time there.") +
         layers_section(devices, rows, "measured one by one");
}

std::string operators(const Json& bench) {
  const Json& list = array_at(bench, "layers");
  const std::vector<std::string> devices = layer_devices(list);
  struct Sum {
    double layers = 0;
    std::vector<double> times;
  };
  std::map<std::string, Sum> sums;
  for (const Json& layer : list) {
    Sum& sum = sums[text_at(layer, "op")];
    sum.times.resize(devices.size());
    ++sum.layers;
    const std::vector<double> times = layer_times(layer, devices);
    for (size_t d = 0; d < devices.size(); ++d)
      sum.times[d] += std::max(0.0, times[d]);
  }
  std::vector<Table::Column> columns = {{"Operator"}, {"Layers", Kind::number}};
  for (const std::string& device : devices)
    columns.push_back({device_name(device) + ", ms", Kind::number});
  Table table("Layers by operator, added up", columns);
  for (const auto& [op, sum] : sums) {
    std::vector<Table::Cell> row = {{op}, {count(sum.layers), sum.layers}};
    for (double time : sum.times)
      row.push_back({fmt::format("{:.3f}", time), time});
    table.row(std::move(row));
  }
  return table.html();
}

/// Each output against the expected one, on each device.
std::string test_data(const std::vector<Case>& cases) {
  Table table("Outputs against the expected ones of the test data",
              {{"Device"},
               {"Output"},
               {"Verdict"},
               {"Worst absolute", Kind::number},
               {"Worst relative", Kind::number},
               {"Relative L2", Kind::number}});
  for (const Case& c : cases)
    for (const Json& output : array_at(*c.run, "outputs")) {
      const std::string why = text_at(output, "incomparable");
      const bool within = output.value("within", false);
      std::vector<Table::Cell> row = {{c.name, 0, "device " + c.css},
                                      {text_at(output, "name")},
                                      {!why.empty() ? why
                                       : within     ? "within tolerance"
                                                    : "over tolerance"}};
      for (const char* key : {"max_abs", "max_rel", "rel_l2"})
        row.push_back(
            has_number(output, key)
                ? Table::Cell{fmt::format("{:.2e}", number_at(output, key)), number_at(output, key)}
                : Table::Cell{"", -1});
      table.row(std::move(row));
    }
  return table.html();
}

/// In front of every sentence the run that it is about.
std::string advice(const std::vector<Case>& cases) {
  Json list = Json::array();
  for (const Case& c : cases)
    for (const Json& one : array_at(*c.run, "advice"))
      if (one.is_string())
        list.push_back(cases.size() > 1 ? c.name + ": " + one.get<std::string>()
                                        : one.get<std::string>());
  return advice_section(list);
}

std::string how(const Json& bench, const std::vector<Case>& cases, const Provenance& made) {
  std::vector<std::string> lines = {"Command: " + made.command};
  for (const Case& c : cases) {
    std::string devices;
    for (const Json& device : array_at(*c.run, "devices_used"))
      devices += fmt::format("{}{} {} ({})", devices.empty() ? "" : "; ",
                             device_name(text_at(device, "kind")), text_at(device, "name"),
                             text_at(device, "driver"));
    lines.push_back(fmt::format("{}: {}; {}", c.name, devices, text_at(*c.run, "precision")));
  }
  if (!cases.empty())
    lines.push_back(fmt::format("{}, after {} without timing, {}; {} for the CPU",
                                count(cases[0].at("runs"), "timed run"),
                                count(number_at(bench, "warmup")),
                                cases.size() > 1 ? "the devices in turn" : "one after the other",
                                count(number_at(bench, "threads"), "thread")));
  lines.insert(lines.end(), {"Network: " + made.network, "Vultus " + made.version, made.date});
  return list(lines);
}

}  // namespace

std::string bench_page(const Json& bench, const BenchPicture& picture, const Provenance& made) {
  const std::vector<Case> cases = cases_of(bench);
  Page page{"bench", file_name(text_at(bench, "model")), headline(cases), facts(bench, cases), {}};
  page.add("times", "Side by side", times_section(cases));
  page.add("split", "Where the time goes", split_section(cases));
  page.add("timeline", "What runs when", timeline_section(cases));
  if (picture.run < cases.size())
    page.add(
        "placement", "Where layers lie",
        figure("graph", fmt::format("{}. {}", cases[picture.run].name, picture.note), picture.svg));
  page.add("layers", "Layers", layers(bench));
  page.add("operators", "Operators", operators(bench));
  page.add("outputs", "Test data", test_data(cases));
  page.add("loaded", "What was loaded", loaded_section(cases));
  page.add("advice", "Advice", advice(cases));
  page.add("made", "How this was made", how(bench, cases, made));
  return page.html();
}

}  // namespace vultus::report
