#include "apps/profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "host/core/write_file.hpp"
#include "host/ops/op.hpp"

namespace vultus::app {

namespace {

bool is_conversion(const StepTime& step) {
  return step.node < 0 || step.kernel == "relayout" || step.kernel.starts_with("reorder");
}

/// Floating-point operations by step: a node's are all with its longest step.
std::vector<double> operations(const Graph& graph, const std::vector<StepTime>& steps) {
  std::map<NodeId, size_t> longest;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (is_conversion(steps[i])) continue;
    auto [known, added] = longest.emplace(steps[i].node, i);
    if (!added && steps[i].ms > steps[known->second].ms) known->second = i;
  }
  std::vector<double> flops(steps.size(), 0);
  for (auto [node, i] : longest)
    flops[i] = 2.0 * static_cast<double>(macs(graph, graph.node(node)));
  return flops;
}

/// Sums by operator, longest first.
struct Total {
  std::string op;
  int64_t steps = 0;
  double ms = 0, gflop = 0;
};
std::vector<Total> totals(const Profile& profile) {
  std::vector<Total> sums;
  for (const Profile::Row& row : profile.rows) {
    auto it = std::ranges::find(sums, row.op, &Total::op);
    if (it == sums.end()) it = sums.insert(it, Total{row.op});
    ++it->steps;
    it->ms += row.step.ms;
    it->gflop += row.gflops * row.step.ms * 1e-3;
  }
  std::ranges::stable_sort(sums, std::ranges::greater{}, &Total::ms);
  return sums;
}

}  // namespace

Result<Profile> profile(Session& session, const std::string& device) {
  const Graph& graph = session.graph();
  Profile made;
  made.device = device;
  for (const PlannedPartition& partition : session.plan().partitions) {
    VULTUS_TRY(DeviceSpeed speed, partition.device->speed());
    made.roofs.push_back(speed);
  }
  VULTUS_TRY(auto steps, session.profile());
  const std::vector<double> flops = operations(graph, steps);
  for (size_t i = 0; i < steps.size(); ++i) {
    Profile::Row row;
    const StepTime& step = steps[i];
    const DeviceSpeed& roof = made.roofs[step.partition];
    const double ms = std::max(step.ms, 1e-6);
    row.device = session.plan().partitions[step.partition].device->info().name;
    row.op = "copy";
    if (step.node >= 0) {
      const Node& node = graph.node(step.node);
      row.op = is_conversion(step) ? "layout conversion" : node.op;
      row.node = node.name;
      row.output = graph.shape(node.outputs[0]).str();
    } else if (step.kernel != "upload" && step.kernel != "download") {
      row.op = "layout conversion";
    }
    row.gflops = 1e-6 * flops[i] / ms;
    row.gb_per_s = 1e-6 * static_cast<double>(step.bytes) / ms;
    if (roof.gflops > 0 && roof.copy_gb_per_s > 0 && row.op != "copy")
      row.of_roof = std::max(row.gflops / roof.gflops, row.gb_per_s / roof.copy_gb_per_s);
    made.sum_ms += step.ms;
    row.step = step;
    made.rows.push_back(std::move(row));
  }
  return made;
}

void print_profile(const Profile& profile, int count, double median_ms) {
  std::vector<const Profile::Row*> rows;
  for (const Profile::Row& row : profile.rows)
    rows.push_back(&row);
  std::ranges::stable_sort(rows,
                           [](const auto* a, const auto* b) { return a->step.ms > b->step.ms; });
  const size_t shown = count > 0 ? std::min(rows.size(), static_cast<size_t>(count)) : rows.size();
  fmt::print("\n{}: {} of {} steps, slowest first\n", profile.device, shown, rows.size());
  fmt::print("{:>9} {:>6} {:>9} {:>8} {:>7}  {:<18} {:<24} {:>14}  {}\n", "ms", "%", "GFLOP/s",
             "GB/s", "% roof", "operator", "kernel", "output", "node");
  for (size_t i = 0; i < shown; ++i) {
    const Profile::Row& r = *rows[i];
    fmt::print("{:>9.4f} {:>6.1f} {:>9.1f} {:>8.1f} {:>7.1f}  {:<18} {:<24} {:>14}  {}\n",
               r.step.ms, 100 * r.step.ms / profile.sum_ms, r.gflops, r.gb_per_s, 100 * r.of_roof,
               r.op, r.step.kernel, r.output, r.node);
  }
  fmt::print("\n{:>9} {:>6} {:>9} {:>7}  {}\n", "ms", "%", "GFLOP/s", "steps", "operator");
  for (const Total& t : totals(profile))
    fmt::print("{:>9.3f} {:>6.1f} {:>9.1f} {:>7}  {}\n", t.ms, 100 * t.ms / profile.sum_ms,
               1e3 * t.gflop / std::max(t.ms, 1e-6), t.steps, t.op);
  fmt::print(
      "Each timed step waits for the one before: together {:.3f} ms, a plain run takes {:.3f} ms.\n"
      "GB/s counts every operand once, however often it is read.\n",
      profile.sum_ms, median_ms);
  for (size_t p = 0; p < profile.roofs.size(); ++p)
    fmt::print("Roof{}: {:.0f} GFLOP/s of fp32 multiply-adds, {:.1f} GB/s copied, measured.\n",
               profile.roofs.size() > 1 ? fmt::format(" of partition {}", p) : "",
               profile.roofs[p].gflops, profile.roofs[p].copy_gb_per_s);
  if (std::ranges::any_of(profile.rows, [](const Profile::Row& r) { return r.of_roof > 1; }))
    fmt::print(
        "Over 100 %: operands in caches, Winograd or matrix units, or a device that was busy when "
        "it "
        "was measured; vultus bench --floor measures again.\n");
}

Json as_json(const Profile& profile) {
  Json roofs = Json::array(), steps = Json::array(), operators = Json::array();
  for (const DeviceSpeed& roof : profile.roofs)
    roofs.push_back({{"gflops", roof.gflops}, {"copy_gb_per_s", roof.copy_gb_per_s}});
  for (const Profile::Row& r : profile.rows)
    steps.push_back({{"node", r.node},
                     {"operator", r.op},
                     {"kernel", r.step.kernel},
                     {"output", r.output},
                     {"partition", r.step.partition},
                     {"start_ms", r.step.start_ms},
                     {"ms", r.step.ms},
                     {"bytes", r.step.bytes},
                     {"gflops", r.gflops},
                     {"gb_per_s", r.gb_per_s},
                     {"roof_percent", 100 * r.of_roof}});
  for (const Total& t : totals(profile))
    operators.push_back({{"operator", t.op}, {"steps", t.steps}, {"ms", t.ms}});
  return {{"sum_ms", profile.sum_ms}, {"roofs", roofs}, {"operators", operators}, {"steps", steps}};
}

Result<void> write_trace(const std::string& path, const std::vector<Profile>& profiles) {
  Json events = Json::array();
  for (size_t p = 0; p < profiles.size(); ++p) {
    auto name = [&](const char* what, size_t row, const std::string& text) {
      events.push_back(
          {{"name", what}, {"ph", "M"}, {"pid", p}, {"tid", row}, {"args", {{"name", text}}}});
    };
    name("process_name", 0, profiles[p].device);
    std::vector<std::string> devices;
    for (const Profile::Row& r : profiles[p].rows) {
      auto row = static_cast<size_t>(std::ranges::find(devices, r.device) - devices.begin());
      if (row == devices.size()) {
        devices.push_back(r.device);
        name("thread_name", row, r.device);
      }
      events.push_back({{"name", r.node.empty() ? r.step.kernel : r.node},
                        {"cat", r.op},
                        {"ph", "X"},
                        {"pid", p},
                        {"tid", row},
                        {"ts", 1e3 * r.step.start_ms},
                        {"dur", 1e3 * r.step.ms},
                        {"args",
                         {{"operator", r.op},
                          {"kernel", r.step.kernel},
                          {"output", r.output},
                          {"gflops", r.gflops},
                          {"gb_per_s", r.gb_per_s},
                          {"roof_percent", 100 * r.of_roof}}}});
    }
  }
  const Json document = {{"displayTimeUnit", "ms"}, {"traceEvents", events}};
  return write_file(path, {document.dump(-1, ' ', false, Json::error_handler_t::replace), "\n"});
}

}  // namespace vultus::app
