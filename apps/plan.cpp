#include <fmt/format.h>

#include <algorithm>

#include "apps/common.hpp"
#include "apps/plan_dot.hpp"
#include "apps/plan_json.hpp"
#include "apps/report/charts.hpp"
#include "apps/report/picture.hpp"
#include "apps/report/plan_page.hpp"
#include "host/core/write_file.hpp"
#include "host/ops/op.hpp"

namespace vultus::app {

namespace {

struct PlanOptions {
  EngineOptions engine;
  std::string model, dot, svg, html;
  bool nodes = false, memory = false;
};

/// "Conv 'a', Relu 'b' and 3 more".
std::string some_nodes(const Graph& graph, const std::vector<NodeId>& nodes) {
  constexpr size_t kMost = 3;
  std::string text;
  for (size_t i = 0; i < std::min(kMost, nodes.size()); ++i)
    text += (i > 0 ? ", " : "") + describe(graph.node(nodes[i]));
  return nodes.size() > kMost ? fmt::format("{} and {} more", text, nodes.size() - kMost) : text;
}

bool has_gpu_times(const PlacementCosts& costs) {
  return std::ranges::any_of(costs.nodes, [](const NodeCost& c) { return c.gpu_ns.has_value(); });
}

/// Whether text tells of the next best placement: where something was weighed.
bool names_next_best(const Graph& graph, const Plan& plan) {
  return plan.alternatives.size() > 1 &&
         (plan.coverage_ops(graph, DeviceKind::gpu) > 0 || has_gpu_times(*plan.costs));
}

void print_estimate(const Graph& graph, const Plan& plan, const std::optional<NextBest>& next) {
  const Estimate& e = plan.estimate;
  fmt::print("  predicted     {:.3f} ms: {:.3f} on the GPU, {:.3f} on the CPU, {:.3f} of copies\n",
             e.ms, e.gpu_ms, e.cpu_ms, e.copies_ms);
  if (plan.coverage_ops(graph, DeviceKind::gpu) == 0 && !has_gpu_times(*plan.costs)) return;
  for (const Alternative& other : plan.alternatives)
    fmt::print("    {:<30} {:>9.3f} ms{}\n", other.what, other.estimate.ms,
               other.chosen ? "  <- chosen" : "");
  if (next && names_next_best(graph, plan))
    fmt::print("    cheapest other placement: {:+.3f} ms with {} on the other device\n",
               next->more_ms, some_nodes(graph, next->moved));
}

void print_partitions(Session& session) {
  const Plan& plan = session.plan();
  if (plan.partitions.size() < 2) return;
  constexpr size_t kMost = 20;
  for (size_t p = 0; p < std::min(kMost, plan.partitions.size()); ++p) {
    const PartitionSpec& spec = plan.partitions[p].spec;
    const Estimate::Span& span = plan.estimate.partitions[p];
    const PartitionStats stats = session.partition_stats(p);
    fmt::print(
        "    {:>3} {}  {:>4} nodes, {} tensors in, {} out, {:.2f} MB arena, {:.3f} ms from "
        "{:.3f} ms on\n",
        p + 1, name_of(plan.partitions[p].device->info().kind), spec.nodes.size(),
        spec.inputs.size(), spec.outputs.size(), static_cast<double>(stats.arena_bytes) * 1e-6,
        span.ms, span.start_ms);
  }
  if (plan.partitions.size() > kMost)
    fmt::print("    ... and {} more\n", plan.partitions.size() - kMost);
}

void print_memory(Session& session) {
  for (size_t p = 0; p < session.plan().partitions.size(); ++p) {
    std::vector<report::Block> blocks;
    fmt::print("    partition {}: {:>12} {:>12} {:>6} {:>6}  {}\n", p + 1, "offset", "bytes",
               "first", "last", "block");
    for (const MemoryBlock& b : session.memory_map(p)) {
      fmt::print("    {:>25} {:>12} {:>6} {:>6}  {}\n", b.offset, b.bytes, b.first, b.last, b.name);
      blocks.push_back(
          {b.name, static_cast<double>(b.offset), static_cast<double>(b.bytes), b.first, b.last});
    }
    const report::Peak peak = report::peak_of(blocks);
    fmt::print("    most in use at step {}: {:.2f} MB\n", peak.step, peak.bytes * 1e-6);
  }
}

void print_text(const PlanOptions& options, Session& session, const OpenedDevices& devices,
                const std::optional<NextBest>& next) {
  const Graph& graph = session.graph();
  const Plan& plan = session.plan();
  PlanSummary s = summarise(session);
  PartitionStats stats = session.stats();
  fmt::print("{}\n  device        {}\n", options.model, devices.note);
  fmt::print("  operators     {} ({} GPU, {} CPU), {:.3f} GMAC\n", graph.nodes.size(), s.gpu_ops,
             s.cpu_ops, static_cast<double>(s.macs) * 1e-9);
  std::string changes;
  for (const PassCount& count : session.passes())
    changes += fmt::format("{}{} {}", changes.empty() ? "" : ", ", count.places, count.what);
  if (!changes.empty()) fmt::print("  fused         {}\n", changes);
  fmt::print("  on the GPU    {:.2f} % of operators, {:.2f} % of MACs\n", 100 * s.coverage_ops,
             100 * s.coverage_macs);
  fmt::print("  partitions    {}; {} tensors cross the border, {:.2f} MB\n", plan.partitions.size(),
             plan.transfers, static_cast<double>(plan.transfer_bytes) * 1e-6);
  print_partitions(session);
  print_estimate(graph, plan, next);
  fmt::print("  dispatches    {}, barriers {}, layout conversions {}\n", stats.dispatches,
             stats.barriers, stats.reorders);
  if (stats.choices > 0)
    fmt::print("  tuned         {} of {} convolutions; {} differ from the rules\n",
               stats.timed_choices, stats.choices, stats.changed_choices);
  fmt::print(
      "  activations   {:.2f} MB in the arena ({:.2f} MB without aliasing); weights {:.2f} MB\n",
      static_cast<double>(stats.arena_bytes) * 1e-6,
      static_cast<double>(stats.unplanned_bytes) * 1e-6,
      static_cast<double>(stats.weight_bytes) * 1e-6);
  if (options.memory) print_memory(session);
  bool has_gpu = devices.owned.size() > 1;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    DeviceKind kind = plan.placement[n]->info().kind;
    if (!options.nodes && !(has_gpu && kind == DeviceKind::cpu)) continue;
    const Node& node = graph.nodes[n];
    fmt::print("  {}  {:<22} {:<40} {:>12}  {}\n", name_of(kind), node.op, node.name,
               graph.shape(node.outputs[0]).str(), plan.reasons[n]);
  }
}

/// What --dot, --svg and --html ask for; `document` is for the last.
Result<void> write_pictures(const PlanOptions& options, Session& session, const Json& document) {
  if (options.dot.empty() && options.svg.empty() && options.html.empty()) return {};
  if (!options.dot.empty())
    VULTUS_CHECK(write_file(options.dot, {plan_picture(session.graph(), session.plan()).dot}));
  if (options.svg.empty() && options.html.empty()) return {};
  const PlanPicture picture = plan_picture(session.graph(), session.plan(), kDrawn);
  VULTUS_TRY(std::string drawn, report::draw(picture.dot));
  if (!options.svg.empty()) VULTUS_CHECK(write_file(options.svg, {drawn}));
  if (options.html.empty()) return {};
  return write_file(
      options.html,
      {report::plan_page(document,
                         report::inline_svg(drawn, "Placement of the layers", picture.tooltips),
                         picture.note, provenance(options.model))});
}

Result<void> plan(const PlanOptions& options) {
  for (const std::string* path : {&options.dot, &options.svg, &options.html})
    if (!path->empty()) VULTUS_CHECK(check_writable(*path));
  VULTUS_TRY(OpenedDevices devices, open_devices(options.engine, options.engine.device));
  VULTUS_TRY(Session session, load_session(options.model, options.engine, devices, true));
  const bool documented = options.engine.json || !options.html.empty();
  // A minimum cut for each node.
  std::optional<NextBest> next;
  if (documented || names_next_best(session.graph(), session.plan()))
    next = next_best(session.graph(), session.plan());
  const Json document =
      documented ? plan_json(options.model, options.engine, session, devices, next) : Json();
  VULTUS_CHECK(write_pictures(options, session, document));
  if (options.engine.json)
    print_json(document);
  else
    print_text(options, session, devices, next);
  return {};
}

}  // namespace

void add_plan(CLI::App& app, int& status) {
  auto options = std::make_shared<PlanOptions>();
  auto* command = app.add_subcommand("plan", "where every layer would run, and why");
  command->add_option("model", options->model, "ONNX file")->required();
  command->add_flag("--nodes", options->nodes,
                    "list every node, not only those that stay on the CPU");
  command->add_option("--dot", options->dot,
                      "also write the plan as a picture for Graphviz: dot -Tsvg FILE");
  command->add_option("--svg", options->svg, "also write it as a picture, laid out");
  command->add_option("--html", options->html,
                      "also write one page with everything: times, picture, memory, reasons");
  command->add_flag("--memory", options->memory,
                    "list every block of the arena: where it lies, and from which step to which");
  options->engine.add_to(*command);
  command->footer(
      "Examples:\n  vultus plan model.onnx --device gpu --shape input=1x3x480x640\n"
      "  vultus plan model.onnx --device hybrid --pin op:TopK=cpu --dot plan.dot");
  command->callback([options, &status] {
    auto done = plan(*options);
    status = done ? kComplete : report(done.error());
  });
}

}  // namespace vultus::app
