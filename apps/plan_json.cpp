#include "apps/plan_json.hpp"

#include "host/ops/op.hpp"

namespace vultus::app {

PlanSummary summarise(const Session& session) {
  PlanSummary s;
  const Graph& graph = session.graph();
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    s.macs += macs(graph, graph.nodes[n]);
    (session.plan().placement[n]->info().kind == DeviceKind::gpu ? s.gpu_ops : s.cpu_ops)++;
  }
  s.coverage_ops = session.plan().coverage_ops(graph, DeviceKind::gpu);
  s.coverage_macs = session.plan().coverage_macs(graph, DeviceKind::gpu);
  return s;
}

namespace {

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

Json memory_map(const Session& session) {
  Json blocks = Json::array();
  for (size_t p = 0; p < session.plan().partitions.size(); ++p)
    for (const MemoryBlock& b : session.memory_map(p))
      blocks.push_back({{"partition", p},
                        {"name", b.name},
                        {"offset", b.offset},
                        {"bytes", b.bytes},
                        {"first", b.first},
                        {"last", b.last}});
  return blocks;
}

}  // namespace

Json plan_json(const std::string& model, const EngineOptions& engine, const Session& session,
               const OpenedDevices& devices, const std::optional<NextBest>& next) {
  const Graph& graph = session.graph();
  const Plan& plan = session.plan();
  PlanSummary s = summarise(session);
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
  Json other(nullptr);
  if (next) {
    Json moved = Json::array();
    for (NodeId n : next->moved)
      moved.push_back(graph.node(n).name);
    other = {{"more_ms", next->more_ms}, {"moved", moved}};
  }
  return {{"schema", 1},
          {"model", model},
          {"device", devices.note},
          {"precision", engine.precision},
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
          {"next_best", other},
          {"partition_list", partitions},
          {"memory_map", memory_map(session)},
          {"nodes", nodes}};
}

}  // namespace vultus::app
