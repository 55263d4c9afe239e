#include <fmt/format.h>

#include <algorithm>

#include "apps/common.hpp"
#include "apps/plan_dot.hpp"
#include "host/ops/op.hpp"

namespace vultus::app {

namespace {

struct PlanOptions {
  EngineOptions engine;
  std::string model, dot;
  bool nodes = false;
};

struct Summary {
  int64_t gpu_ops = 0, cpu_ops = 0, macs = 0;
  double coverage_ops = 0, coverage_macs = 0;
};

Summary summarise(const Session& session) {
  Summary s;
  const Graph& graph = session.graph();
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    s.macs += macs(graph, graph.nodes[n]);
    (session.plan().placement[n]->info().kind == DeviceKind::gpu ? s.gpu_ops : s.cpu_ops)++;
  }
  s.coverage_ops = session.plan().coverage_ops(graph, DeviceKind::gpu);
  s.coverage_macs = session.plan().coverage_macs(graph, DeviceKind::gpu);
  return s;
}

Json milliseconds(const std::optional<int64_t>& ns) {
  return ns ? Json(static_cast<double>(*ns) * 1e-6) : Json(nullptr);
}

Json as_json(const Estimate& e) {
  return {{"ms", e.ms}, {"gpu_ms", e.gpu_ms}, {"cpu_ms", e.cpu_ms}, {"copies_ms", e.copies_ms}};
}

Json as_json(const Graph& graph, const PlannedPartition& p, const PartitionStats& stats,
             const Estimate::Span& span) {
  auto names = [&](const std::vector<ValueId>& values) {
    Json list = Json::array();
    for (ValueId v : values)
      list.push_back(graph.value(v).name);
    return list;
  };
  return {{"device", name_of(p.device->info().kind)},
          {"nodes", p.spec.nodes.size()},
          {"inputs", names(p.spec.inputs)},
          {"outputs", names(p.spec.outputs)},
          {"dispatches", stats.dispatches},
          {"arena_bytes", stats.arena_bytes},
          {"weight_bytes", stats.weight_bytes},
          {"start_ms", span.start_ms},
          {"copies_ms", span.copies_ms},
          {"ms", span.ms}};
}

/// "Conv 'a', Relu 'b' and 3 more".
std::string some_nodes(const Graph& graph, const std::vector<NodeId>& nodes) {
  constexpr size_t kMost = 3;
  std::string text;
  for (size_t i = 0; i < std::min(kMost, nodes.size()); ++i)
    text += (i > 0 ? ", " : "") + describe(graph.node(nodes[i]));
  return nodes.size() > kMost ? fmt::format("{} and {} more", text, nodes.size() - kMost) : text;
}

Json as_json(const PlanOptions& options, Session& session, const OpenedDevices& devices) {
  const Graph& graph = session.graph();
  const Plan& plan = session.plan();
  Summary s = summarise(session);
  PartitionStats stats = session.stats();
  Json passes = Json::array();
  for (const PassCount& count : session.passes())
    passes.push_back({{"what", count.what}, {"places", count.places}});
  Json nodes = Json::array();
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    DeviceKind kind = plan.placement[n]->info().kind;
    nodes.push_back({{"name", node.name},
                     {"op", node.op},
                     {"device", name_of(kind)},
                     {"reason", plan.reasons[n]},
                     {"macs", macs(graph, node)},
                     {"gpu_ms", milliseconds(plan.costs->nodes[n].gpu_ns)},
                     {"cpu_ms", milliseconds(plan.costs->nodes[n].cpu_ns)}});
  }
  Json partitions = Json::array();
  for (size_t p = 0; p < plan.partitions.size(); ++p)
    partitions.push_back(as_json(graph, plan.partitions[p], session.partition_stats(p),
                                 plan.estimate.partitions[p]));
  Json weighed = Json::array();
  for (const Alternative& other : plan.alternatives) {
    Json one = as_json(other.estimate);
    one["what"] = other.what;
    one["chosen"] = other.chosen;
    weighed.push_back(one);
  }
  Json next(nullptr);
  if (auto other = next_best(graph, plan)) {
    Json moved = Json::array();
    for (NodeId n : other->moved)
      moved.push_back(graph.node(n).name);
    next = {{"more_ms", other->more_ms}, {"moved", moved}};
  }
  return {{"schema", 1},
          {"model", options.model},
          {"device", devices.note},
          {"precision", options.engine.precision},
          {"ops", graph.nodes.size()},
          {"gpu_ops", s.gpu_ops},
          {"cpu_ops", s.cpu_ops},
          {"macs", s.macs},
          {"coverage_ops", s.coverage_ops},
          {"coverage_macs", s.coverage_macs},
          {"passes", passes},
          {"partitions", plan.partitions.size()},
          {"transfers", plan.transfers},
          {"transfer_bytes", plan.transfer_bytes},
          {"dispatches", stats.dispatches},
          {"barriers", stats.barriers},
          {"tunable_convolutions", stats.choices},
          {"timed_convolutions", stats.timed_choices},
          {"changed_convolutions", stats.changed_choices},
          {"arena_bytes", stats.arena_bytes},
          {"unplanned_bytes", stats.unplanned_bytes},
          {"weight_bytes", stats.weight_bytes},
          {"predicted", as_json(plan.estimate)},
          {"alternatives", weighed},
          {"next_best", next},
          {"partition_list", partitions},
          {"nodes", nodes}};
}

bool has_gpu_times(const PlacementCosts& costs) {
  return std::ranges::any_of(costs.nodes, [](const NodeCost& c) { return c.gpu_ns.has_value(); });
}

void print_estimate(const Graph& graph, const Plan& plan) {
  const Estimate& e = plan.estimate;
  fmt::print("  predicted     {:.3f} ms: {:.3f} on the GPU, {:.3f} on the CPU, {:.3f} of copies\n",
             e.ms, e.gpu_ms, e.cpu_ms, e.copies_ms);
  if (plan.coverage_ops(graph, DeviceKind::gpu) == 0 && !has_gpu_times(*plan.costs)) return;
  for (const Alternative& other : plan.alternatives)
    fmt::print("    {:<30} {:>9.3f} ms{}\n", other.what, other.estimate.ms,
               other.chosen ? "  <- chosen" : "");
  if (plan.alternatives.size() < 2) return;  // nothing was weighed
  if (auto other = next_best(graph, plan))
    fmt::print("    cheapest other placement: {:+.3f} ms with {} on the other device\n",
               other->more_ms, some_nodes(graph, other->moved));
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

void print_text(const PlanOptions& options, Session& session, const OpenedDevices& devices) {
  const Graph& graph = session.graph();
  const Plan& plan = session.plan();
  Summary s = summarise(session);
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
  print_estimate(graph, plan);
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
  bool has_gpu = devices.owned.size() > 1;
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    DeviceKind kind = plan.placement[n]->info().kind;
    if (!options.nodes && !(has_gpu && kind == DeviceKind::cpu)) continue;
    const Node& node = graph.nodes[n];
    fmt::print("  {}  {:<22} {:<40} {:>12}  {}\n", name_of(kind), node.op, node.name,
               graph.shape(node.outputs[0]).str(), plan.reasons[n]);
  }
}

Result<void> plan(const PlanOptions& options) {
  VULTUS_TRY(OpenedDevices devices, open_devices(options.engine, options.engine.device));
  VULTUS_TRY(Session session, load_session(options.model, options.engine, devices, true));
  if (!options.dot.empty()) VULTUS_CHECK(write_dot(options.dot, session.graph(), session.plan()));
  if (options.engine.json)
    print_json(as_json(options, session, devices));
  else
    print_text(options, session, devices);
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
