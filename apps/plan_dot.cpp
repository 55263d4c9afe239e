#include "apps/plan_dot.hpp"

#include <fmt/format.h>

#include "host/core/write_file.hpp"

namespace vultus::app {

namespace {

/// For the inside of a double-quoted DOT string.
std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

constexpr std::string_view color_of(DeviceKind kind) {
  return kind == DeviceKind::gpu ? "#cfe3ff" : "#ffe3c2";
}

struct Writer {
  const Graph& graph;
  const Plan& plan;
  std::string text;

  DeviceKind kind(NodeId n) const { return plan.placement[static_cast<size_t>(n)]->info().kind; }
  void add_partition(size_t p) {
    const PlannedPartition& partition = plan.partitions[p];
    text += fmt::format("  subgraph cluster_{} {{ label=\"{} {}\"; style=dashed;\n", p,
                        name_of(partition.device->info().kind), p + 1);
    for (NodeId n : partition.spec.nodes) {
      const Node& node = graph.node(n);
      std::string label = fmt::format("{}\\n{}", node.op, escaped(node.name));
      if (plan.costs) {
        const NodeCost& cost = plan.costs->nodes[static_cast<size_t>(n)];
        const auto here = kind(n) == DeviceKind::gpu ? cost.gpu_ns : cost.cpu_ns;
        if (here) label += fmt::format("\\n{:.3f} ms", static_cast<double>(*here) * 1e-6);
      }
      text += fmt::format("    n{} [label=\"{}\", fillcolor=\"{}\", tooltip=\"{}\"];\n", n, label,
                          color_of(kind(n)), escaped(plan.reasons[static_cast<size_t>(n)]));
    }
    text += "  }\n";
  }
  /// An edge; a transfer between host and GPU is bold and says what it carries.
  void add_edge(const std::string& from, const std::string& to, ValueId v, bool from_gpu,
                bool to_gpu) {
    text += fmt::format("  {} -> {}", from, to);
    if (from_gpu != to_gpu) {
      const Value& value = graph.value(v);
      const double bytes =
          static_cast<double>(value.shape.elements()) * static_cast<double>(size_of(value.dtype));
      text += fmt::format(" [label=\"{} {:.3f} MB", to_gpu ? "up" : "down", bytes * 1e-6);
      if (plan.costs) {
        const TransferCost& cost = plan.costs->transfers[static_cast<size_t>(v)];
        text += fmt::format("\\n{:.3f} ms",
                            static_cast<double>(to_gpu ? cost.up_ns : cost.down_ns) * 1e-6);
      }
      text += "\", penwidth=2, color=\"#c02020\"]";
    }
    text += ";\n";
  }
  void add_edges() {
    const auto readers = graph.consumers();
    for (ValueId v = 0; v < static_cast<ValueId>(graph.values.size()); ++v) {
      const Value& value = graph.value(v);
      if (value.constant) continue;
      const bool made_on_gpu = value.producer >= 0 && kind(value.producer) == DeviceKind::gpu;
      const std::string from =
          value.producer >= 0 ? fmt::format("n{}", value.producer) : fmt::format("v{}", v);
      if (value.producer < 0 && !readers[static_cast<size_t>(v)].empty())
        text += fmt::format("  v{} [label=\"{}\", shape=ellipse];\n", v, escaped(value.name));
      for (NodeId n : readers[static_cast<size_t>(v)])
        add_edge(from, fmt::format("n{}", n), v, made_on_gpu, kind(n) == DeviceKind::gpu);
      if (value.producer < 0 || !graph.is_output(v)) continue;
      text += fmt::format("  o{} [label=\"{}\", shape=ellipse];\n", v, escaped(value.name));
      add_edge(from, fmt::format("o{}", v), v, made_on_gpu, false);
    }
  }
};

}  // namespace

std::string as_dot(const Graph& graph, const Plan& plan) {
  Writer writer{graph, plan,
                "digraph plan {\n  rankdir=TB; node [shape=box, style=filled, fillcolor=white, "
                "fontname=\"sans-serif\", fontsize=10]; edge [fontname=\"sans-serif\", "
                "fontsize=9];\n"};
  for (size_t p = 0; p < plan.partitions.size(); ++p)
    writer.add_partition(p);
  writer.add_edges();
  return writer.text + "}\n";
}

Result<void> write_dot(const std::string& path, const Graph& graph, const Plan& plan) {
  return write_file(path, {as_dot(graph, plan)});
}

}  // namespace vultus::app
