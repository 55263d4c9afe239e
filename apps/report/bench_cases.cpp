#include "apps/report/bench_cases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/text.hpp"

namespace vultus::report {

namespace {

using Kind = Table::Kind;

/// Of the devices that were used, whatever was asked for.
std::string css_of(const Json& run) {
  std::string css;
  for (const Json& device : array_at(run, "devices_used")) {
    const std::string kind = text_at(device, "kind");
    css = css.empty() || css == kind ? kind : "both";
  }
  return css.empty() ? device_css(text_at(run, "device")) : css;
}

std::string sizes_table(const std::vector<Case>& cases) {
  Table table("Plans", {{"Device"},
                        {"Partitions", Kind::number},
                        {"Dispatches", Kind::number},
                        {"Barriers", Kind::number},
                        {"Conversions", Kind::number},
                        {"Uploads", Kind::number},
                        {"Downloads", Kind::number},
                        {"Activations", Kind::number},
                        {"Weights", Kind::number}});
  for (const Case& c : cases) {
    auto copies = [&](const char* calls, const char* size) {
      return Table::Cell{fmt::format("{}, {}", count(c.at(calls)), bytes(c.at(size))), c.at(size)};
    };
    table.row({{c.name, 0, "device " + c.css},
               count_cell(*c.run, "partitions"),
               count_cell(*c.run, "dispatches"),
               count_cell(*c.run, "barriers"),
               count_cell(*c.run, "reorders"),
               copies("uploads", "upload_bytes"),
               copies("downloads", "download_bytes"),
               bytes_cell(*c.run, "arena_bytes"),
               bytes_cell(*c.run, "weight_bytes")});
  }
  return table.html();
}

/// Milliseconds of a start, a row for each of the objects.
class Starts {
 public:
  explicit Starts(const char* caption)
      : table_(caption, {{"Device"},
                         {"Import, ms", Kind::number},
                         {"Passes, ms", Kind::number},
                         {"Plan, ms", Kind::number},
                         {"Compile, ms", Kind::number},
                         {"Load, ms", Kind::number},
                         {"First run, ms", Kind::number}}) {}
  void add(const std::string& name, const std::string& css, const Json& times) {
    std::vector<Table::Cell> row = {{name, 0, "device " + css}};
    for (const char* key :
         {"import_ms", "passes_ms", "plan_ms", "compile_ms", "load_ms", "first_ms"})
      row.push_back(ms_cell(times, key));
    table_.row(std::move(row));
  }
  std::string html() const { return table_.html(); }

 private:
  Table table_;
};

}  // namespace

std::vector<Case> cases_of(const Json& bench) {
  const Json& runs = array_at(bench, "runs");
  const bool batches = std::ranges::any_of(runs, [&](const Json& run) {
    return number_at(run, "batch") != number_at(runs[0], "batch");
  });
  std::vector<Case> cases;
  std::map<std::string, int> seen;
  for (const Json& run : runs) {
    std::string name = device_name(text_at(run, "device"));
    if (batches) name += fmt::format(", batch {:.0f}", number_at(run, "batch"));
    if (const int before = seen[name]++; before > 0) name += fmt::format(" ({})", before + 1);
    cases.push_back({&run, name, css_of(run)});
  }
  return cases;
}

Table::Cell ms_cell(const Json& object, const char* key) {
  if (!has_number(object, key)) return {"", -1};
  return {fmt::format("{:.3f}", number_at(object, key)), number_at(object, key)};
}
Table::Cell count_cell(const Json& object, const char* key) {
  return {count(number_at(object, key)), number_at(object, key)};
}
Table::Cell bytes_cell(const Json& object, const char* key) {
  return {bytes(number_at(object, key)), number_at(object, key)};
}

std::string loaded_section(const std::vector<Case>& cases) {
  Starts here("Loading, with the caches as they were"),
      own("Starts in a process of their own, caches empty (cold) and filled (warm)");
  for (const Case& c : cases) {
    here.add(c.name, c.css, *c.run);
    const auto startup = c.run->find("startup");
    if (startup == c.run->end() || !startup->is_object()) continue;
    for (const auto& [which, times] : startup->items())
      own.add(fmt::format("{}, {}", c.name, which), c.css, times);
  }
  return sizes_table(cases) + here.html() + own.html();
}

}  // namespace vultus::report
