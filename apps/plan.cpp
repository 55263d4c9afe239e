#include <fmt/format.h>

#include "apps/common.hpp"
#include "host/ops/op.hpp"

namespace vultus::app {

namespace {

struct PlanOptions {
  EngineOptions engine;
  std::string model;
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

Json as_json(const PlanOptions& options, Session& session, const OpenedDevices& devices,
             const std::map<NodeId, double>& times) {
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
    auto time = times.find(static_cast<NodeId>(n));
    Json ms = time == times.end() ? Json(nullptr) : Json(time->second);
    nodes.push_back({{"name", node.name},
                     {"op", node.op},
                     {"device", name_of(kind)},
                     {"reason", plan.reasons[n]},
                     {"macs", macs(graph, node)},
                     {"gpu_ms", kind == DeviceKind::gpu ? ms : Json(nullptr)},
                     {"cpu_ms", kind == DeviceKind::cpu ? ms : Json(nullptr)}});
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
          {"nodes", nodes}};
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
  VULTUS_TRY(Session session, load_session(options.model, options.engine, devices));
  if (!options.engine.json) {
    print_text(options, session, devices);
    return {};
  }
  VULTUS_CHECK(set_inputs(session, {}, true));
  VULTUS_CHECK(session.run());
  VULTUS_TRY(auto times, session.profile());
  print_json(as_json(options, session, devices, node_times(times)));
  return {};
}

}  // namespace

void add_plan(CLI::App& app, int& status) {
  auto options = std::make_shared<PlanOptions>();
  auto* command = app.add_subcommand("plan", "where every layer would run, and why");
  command->add_option("model", options->model, "ONNX file")->required();
  command->add_flag("--nodes", options->nodes,
                    "list every node, not only those that stay on the CPU");
  options->engine.add_to(*command);
  command->footer("Example:\n  vultus plan model.onnx --device gpu --shape input=1x3x480x640");
  command->callback([options, &status] {
    auto done = plan(*options);
    status = done ? kComplete : report(done.error());
  });
}

}  // namespace vultus::app
