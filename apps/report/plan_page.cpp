#include "apps/report/plan_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "apps/report/charts.hpp"
#include "report/text.hpp"

namespace vultus::report {

namespace {

using Kind = Table::Kind;

double predicted_ms(const Json& plan) {
  const auto it = plan.find("predicted");
  return it == plan.end() ? 0 : number_at(*it, "ms");
}

std::string headline(const Json& plan) {
  const double gpu = number_at(plan, "gpu_ops"), cpu = number_at(plan, "cpu_ops");
  const double now = predicted_ms(plan);
  std::string text;
  if (cpu == 0)
    text = fmt::format("All {} run on the GPU", count(gpu, "layer"));
  else if (gpu == 0)
    text = fmt::format("All {} run on the CPU", count(cpu, "layer"));
  else
    text = fmt::format("{} run on the GPU ({} % of the arithmetic) and {} on the CPU",
                       count(gpu, "layer"), number(100 * number_at(plan, "coverage_macs")),
                       count(cpu));
  if (now <= 0) return text + ".";
  text += fmt::format("; a run is predicted to take {}.", ms(now));
  std::string others;
  for (const Json& other : array_at(plan, "alternatives")) {
    const double time = number_at(other, "ms");
    if (other.value("chosen", false) || std::abs(time - now) < 0.01 * now) continue;
    others +=
        fmt::format("{} {} ({})", others.empty() ? "" : ",", ms(time), text_at(other, "what"));
  }
  return others.empty() ? text : fmt::format("{} Also weighed:{}.", text, others);
}

std::vector<Page::Fact> facts(const Json& plan) {
  return {{"Predicted", predicted_ms(plan) > 0 ? ms(predicted_ms(plan)) : "not known"},
          {"On the GPU, layers", count(number_at(plan, "gpu_ops"))},
          {"On the CPU, layers", count(number_at(plan, "cpu_ops"))},
          {"Arithmetic", number(number_at(plan, "macs") * 1e-9) + " GMAC"},
          {"Partitions", count(number_at(plan, "partitions"))},
          {"Tensors that cross", fmt::format("{}, {}", count(number_at(plan, "transfers")),
                                             bytes(number_at(plan, "transfer_bytes")))},
          {"Activations", bytes(number_at(plan, "arena_bytes"))},
          {"Without aliasing", bytes(number_at(plan, "unplanned_bytes"))},
          {"Weights", bytes(number_at(plan, "weight_bytes"))}};
}

std::string partitions(const Json& plan) {
  std::vector<std::string> lanes;
  std::vector<Span> spans;
  Table table("Partitions in order of execution", {{"Partition"},
                                                   {"Device"},
                                                   {"Layers", Kind::number},
                                                   {"Starts, ms", Kind::number},
                                                   {"Takes, ms", Kind::number},
                                                   {"Copies, ms", Kind::number},
                                                   {"Dispatches", Kind::number},
                                                   {"Activations", Kind::number},
                                                   {"Weights", Kind::number}});
  size_t index = 0;
  for (const Json& p : array_at(plan, "partition_list")) {
    const std::string device = text_at(p, "device"), name = fmt::format("{}", ++index);
    size_t lane =
        static_cast<size_t>(std::ranges::find(lanes, device_name(device)) - lanes.begin());
    if (lane == lanes.size()) lanes.push_back(device_name(device));
    const double start = number_at(p, "start_ms"), length = number_at(p, "ms");
    spans.push_back({lane, start, length, device_css(device),
                     fmt::format("Partition {} on the {}: {}, from {} for {} ({} of it copies)",
                                 name, device_name(device), count(number_at(p, "nodes"), "layer"),
                                 ms(start), ms(length), ms(number_at(p, "copies_ms"))),
                     name});
    auto cell = [&](const char* key, int digits) {
      return Table::Cell{fmt::format("{:.{}f}", number_at(p, key), digits), number_at(p, key)};
    };
    auto size = [&](const char* key) {
      return Table::Cell{bytes(number_at(p, key)), number_at(p, key)};
    };
    table.row({{name},
               {device_name(device), 0, "device " + device_css(device)},
               cell("nodes", 0),
               cell("start_ms", 3),
               cell("ms", 3),
               cell("copies_ms", 3),
               cell("dispatches", 0),
               size("arena_bytes"),
               size("weight_bytes")});
  }
  if (table.empty()) return {};
  return figure("timeline", "When each partition would run, as predicted",
                timeline("Partitions over time", lanes, spans)) +
         table.html();
}

std::string layers(const Json& plan) {
  std::vector<Layer> list;
  for (const Json& node : array_at(plan, "nodes"))
    list.push_back({text_at(node, "name"),
                    text_at(node, "op"),
                    {},
                    text_at(node, "reason"),
                    text_at(node, "device"),
                    number_at(node, "macs", -1),
                    {number_at(node, "gpu_ms", -1), number_at(node, "cpu_ms", -1)}});
  return layers_section({"gpu", "cpu"}, list, "as predicted");
}

/// At most eight partitions, those with most activations, in order of execution.
std::vector<size_t> largest(const Json& partitions) {
  constexpr size_t kMost = 8;
  std::vector<size_t> order(partitions.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater{},
                           [&](size_t p) { return number_at(partitions[p], "arena_bytes"); });
  order.resize(std::min(order.size(), kMost));
  std::ranges::sort(order);
  return order;
}

std::string memory(const Json& plan) {
  std::string out;
  const Json& list = array_at(plan, "partition_list");
  const std::vector<size_t> shown = largest(list);
  if (shown.size() < list.size())
    out =
        paragraph(fmt::format("Of {} the {} with most activations; plan --json has all.",
                              count(static_cast<double>(list.size()), "partition"), shown.size()));
  for (size_t p : shown) {
    std::vector<Block> blocks;
    Table table(fmt::format("Blocks of partition {}, by offset", p + 1),
                {{"Block"},
                 {"Offset", Kind::number},
                 {"Size", Kind::number},
                 {"First step", Kind::number},
                 {"Last step", Kind::number}});
    for (const Json& b : array_at(plan, "memory_map")) {
      if (number_at(b, "partition") != static_cast<double>(p)) continue;
      const Block block{text_at(b, "name"), number_at(b, "offset"), number_at(b, "bytes"),
                        static_cast<int>(number_at(b, "first")),
                        static_cast<int>(number_at(b, "last"))};
      table.row({{block.name},
                 {count(block.offset), block.offset},
                 {bytes(block.bytes), block.bytes},
                 {count(block.first), static_cast<double>(block.first)},
                 {count(block.last), static_cast<double>(block.last)}});
      blocks.push_back(block);
    }
    if (blocks.empty()) continue;
    out += figure("memory",
                  fmt::format("Partition {} on the {}: what lies where in its memory, and from "
                              "which step to which; dark: in use when most is",
                              p + 1, device_name(text_at(list[p], "device"))),
                  memory_chart(fmt::format("Memory of partition {}", p + 1), blocks)) +
           table.html();
  }
  return out;
}

std::string alternatives(const Json& plan) {
  Table table("Placements that were weighed, as predicted", {{"Placement"},
                                                             {"Whole run, ms", Kind::number},
                                                             {"GPU, ms", Kind::number},
                                                             {"CPU, ms", Kind::number},
                                                             {"Copies, ms", Kind::number}});
  for (const Json& other : array_at(plan, "alternatives")) {
    const bool chosen = other.value("chosen", false);
    std::vector<Table::Cell> row = {
        {text_at(other, "what") + (chosen ? " (chosen)" : ""), 0, chosen ? "chosen" : ""}};
    for (const char* key : {"ms", "gpu_ms", "cpu_ms", "copies_ms"})
      row.push_back({fmt::format("{:.3f}", number_at(other, key)), number_at(other, key),
                     chosen ? "chosen" : ""});
    table.row(std::move(row));
  }
  std::string out = table.html();
  const auto next = plan.find("next_best");
  if (next == plan.end() || !next->is_object()) return out;
  const Json& moved = array_at(*next, "moved");
  std::string names;
  for (size_t i = 0; i < std::min<size_t>(5, moved.size()); ++i)
    if (moved[i].is_string())
      names += (i > 0 ? ", " : "") + clipped(moved[i].get<std::string>(), 80);
  if (moved.size() > 5) names += fmt::format(" and {} more", moved.size() - 5);
  return out + paragraph(fmt::format(
                   "The cheapest other placement moves {} ({}) to the other device and adds {}.",
                   count(static_cast<double>(moved.size()), "layer"), names,
                   ms(number_at(*next, "more_ms"))));
}

}  // namespace

std::string plan_page(const Json& plan, const std::string& picture, const std::string& picture_note,
                      const Provenance& made) {
  Page page{"plan", file_name(text_at(plan, "model")), headline(plan), facts(plan), {}};
  page.add("partitions", "What runs when", partitions(plan));
  page.add("placement", "Where layers lie", figure("graph", picture_note, picture));
  page.add("layers", "Layers", layers(plan));
  page.add("memory", "Memory", memory(plan));
  page.add("alternatives", "What else was weighed", alternatives(plan));
  page.add("advice", "Advice", advice_section(array_at(plan, "advice")));
  page.add("made", "How this was made",
           list({"Command: " + made.command, "Devices: " + text_at(plan, "device"),
                 "Precision on the GPU: " + text_at(plan, "precision"), "Network: " + made.network,
                 "Vultus " + made.version, made.date}));
  return page.html();
}

}  // namespace vultus::report
