#include <fmt/format.h>

#include <algorithm>

#include "apps/report/bench_cases.hpp"
#include "apps/report/charts.hpp"
#include "report/text.hpp"

namespace vultus::report {

namespace {

using Kind = Table::Kind;

std::string ranges(const std::vector<Case>& cases) {
  std::vector<Range> rows;
  bool predicted = false;
  for (const Case& c : cases) {
    predicted = predicted || has_number(*c.run, "predicted_ms");
    rows.push_back({c.name, c.css,
                    fmt::format("{}: median {}, fastest {}, 95 % within {}, slowest {}", c.name,
                                ms(c.at("median_ms")), ms(c.at("min_ms")), ms(c.at("p95_ms")),
                                ms(c.at("max_ms"))),
                    c.at("min_ms"), c.at("median_ms"), c.at("p95_ms"),
                    number_at(*c.run, "predicted_ms", -1)});
  }
  return figure("ranges",
                fmt::format("Time of a run. Bar: median; line: from the fastest to where 95 % of "
                            "the runs lie{}",
                            predicted ? "; dashed: as predicted" : ""),
                range_chart("Time of a run by device", rows));
}

std::string times_table(const std::vector<Case>& cases) {
  Table table("Time of a run, ms", {{"Device"},
                                    {"Median", Kind::number},
                                    {"95 % within", Kind::number},
                                    {"Fastest", Kind::number},
                                    {"Slowest", Kind::number},
                                    {"Predicted", Kind::number},
                                    {"GFLOP/s", Kind::number},
                                    {"Precision"},
                                    {"Batch", Kind::number}});
  for (const Case& c : cases)
    table.row({{c.name, 0, "device " + c.css},
               ms_cell(*c.run, "median_ms"),
               ms_cell(*c.run, "p95_ms"),
               ms_cell(*c.run, "min_ms"),
               ms_cell(*c.run, "max_ms"),
               ms_cell(*c.run, "predicted_ms"),
               {number(c.at("gflops")), c.at("gflops")},
               {text_at(*c.run, "precision")},
               count_cell(*c.run, "batch")});
  return table.html();
}

std::string in_flight_table(const std::vector<Case>& cases) {
  Table table("Runs that overlap, inputs copied in each time",
              {{"Device"},
               {"In flight", Kind::number},
               {"Runs per second", Kind::number},
               {"One after the other", Kind::number}});
  for (const Case& c : cases)
    if (has_number(*c.run, "runs_per_s"))
      table.row({{c.name, 0, "device " + c.css},
                 count_cell(*c.run, "in_flight"),
                 {number(c.at("runs_per_s")), c.at("runs_per_s")},
                 {number(c.at("runs_per_s_alone")), c.at("runs_per_s_alone")}});
  return table.html();
}

struct StageLook {
  const char *key, *name;
  std::string css;
};
/// What a run is split into; computing has the colour of the device.
std::vector<StageLook> stages(const std::string& device) {
  return {{"upload_ms", "upload", "copy"},
          {"compute_ms", "compute", device},
          {"read_back_ms", "read-back", "back"},
          {"host_ms", "host", "idle"}};
}

std::string stage_legend(const std::vector<Case>& cases) {
  std::vector<std::pair<std::string, std::string>> entries = {{"copy", "upload"}};
  auto computes = [&](const char* css) {
    return std::ranges::any_of(cases, [&](const Case& c) { return c.css == css; });
  };
  if (computes("gpu") || computes("both")) entries.emplace_back("gpu", "computing, GPU");
  if (computes("cpu") || computes("both")) entries.emplace_back("cpu", "computing, CPU");
  if (computes("both")) entries.emplace_back("both", "computing, both");
  entries.emplace_back("back", "read-back");
  entries.emplace_back("idle", "host: submission, waits, hand-over");
  return legend(entries);
}

std::string timeline_of(const Case& c) {
  std::vector<std::string> lanes;
  std::vector<Span> spans;
  for (const Json& span : array_at(*c.run, "timeline")) {
    const std::string device = text_at(span, "device"), stage = text_at(span, "stage");
    const auto lane =
        static_cast<size_t>(std::ranges::find(lanes, device_name(device)) - lanes.begin());
    if (lane == lanes.size()) lanes.push_back(device_name(device));
    const std::string name = stage == "read_back" ? "read-back" : stage;
    const double start = number_at(span, "start_ms"), length = number_at(span, "ms");
    spans.push_back({lane, start, length,
                     stage == "upload"      ? "copy"
                     : stage == "read_back" ? "back"
                                            : device_css(device),
                     fmt::format("Partition {:.0f} on the {}: {} from {} for {}",
                                 number_at(span, "partition") + 1, device_name(device), name,
                                 ms(start), ms(length)),
                     c.at("partitions") > 1 ? count(number_at(span, "partition") + 1) : name});
  }
  return figure("timeline", fmt::format("{}: what ran when, in a run near the median", c.name),
                timeline(c.name + " over time", lanes, spans));
}

}  // namespace

std::string times_section(const std::vector<Case>& cases) {
  return ranges(cases) + times_table(cases) + in_flight_table(cases);
}

std::string split_section(const std::vector<Case>& cases) {
  std::vector<std::string> lanes;
  std::vector<Span> spans;
  Table table("Where the time of a run near the median went", {{"Device"},
                                                               {"Upload, ms", Kind::number},
                                                               {"Compute, ms", Kind::number},
                                                               {"Read-back, ms", Kind::number},
                                                               {"Host, ms", Kind::number},
                                                               {"Side by side, ms", Kind::number},
                                                               {"The run, ms", Kind::number}});
  bool clocks = true;
  for (const Case& c : cases) {
    const Json& part = c.split();
    const double wall = number_at(part, "wall_ms");
    double at = 0;
    for (const StageLook& stage : stages(c.css)) {
      const double length = number_at(part, stage.key);
      if (length <= 0) continue;
      spans.push_back({lanes.size(), at, length, stage.css,
                       fmt::format("{}: {} {}, {} % of {}", c.name, stage.name, ms(length),
                                   number(100 * length / wall), ms(wall)),
                       stage.name});
      at += length;
    }
    lanes.push_back(c.name);
    clocks = clocks && part.value("device_clock", true);
    table.row({{c.name, 0, "device " + c.css},
               ms_cell(part, "upload_ms"),
               ms_cell(part, "compute_ms"),
               ms_cell(part, "read_back_ms"),
               ms_cell(part, "host_ms"),
               ms_cell(part, "overlap_ms"),
               ms_cell(part, "wall_ms")});
  }
  return stage_legend(cases) +
         figure("split", "What a run near the median spends its time on, added up",
                timeline("Parts of a run by device", lanes, spans)) +
         table.html() +
         (clocks ? "" : paragraph("A GPU has no timestamps: its copies count as computing."));
}

std::string timeline_section(const std::vector<Case>& cases) {
  std::string out;
  for (const Case& c : cases)
    out += timeline_of(c);
  return out.empty() ? out : stage_legend(cases) + out;
}

}  // namespace vultus::report
