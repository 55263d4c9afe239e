#include "apps/plan_dot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "report/text.hpp"

namespace vultus::app {

namespace {

/// For the inside of a double-quoted DOT string: at most `most` characters, no escapes or entities.
std::string quoted(std::string_view text, size_t most) {
  std::string out;
  for (char c : report::clipped(text, most)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
    if (c == '&') out += "amp;";
  }
  return out;
}

constexpr std::string_view kSpace = "\xC2\xA0\xC2\xA0";

enum class Level : uint8_t { nodes, partitions, devices };

struct Box {
  std::string label, tooltip, css;  ///< label: escaped lines; css: gpu, cpu or io
  size_t cluster = 0;               ///< at the level of nodes
};
struct Arrow {
  size_t tensors = 0;
  double bytes = 0, ms = 0;
  bool up = false, down = false;
};

class Drawing {
 public:
  Drawing(const Graph& graph, const Plan& plan, Level level)
      : graph_(graph), plan_(plan), level_(level), partition_of_(graph.nodes.size()) {
    for (size_t p = 0; p < plan.partitions.size(); ++p)
      for (NodeId n : plan.partitions[p].spec.nodes)
        partition_of_[static_cast<size_t>(n)] = p;
    add_boxes();
    add_arrows();
  }
  bool fits(PictureLimits limits) const {
    return boxes_.size() <= limits.boxes && arrows_.size() <= limits.arrows;
  }
  PlanPicture write() const;

 private:
  std::string css(NodeId n) const {
    return std::string(name_of(plan_.placement[static_cast<size_t>(n)]->info().kind));
  }
  std::string box_of(NodeId n) const {
    const auto i = static_cast<size_t>(n);
    if (level_ == Level::nodes) return fmt::format("n{}", n);
    return level_ == Level::partitions ? fmt::format("p{}", partition_of_[i]) : "d_" + css(n);
  }
  void add_boxes();
  void add_arrows();
  void add_arrow(const std::string& from, const std::string& to, ValueId v, bool from_gpu,
                 bool to_gpu);

  const Graph& graph_;
  const Plan& plan_;
  Level level_;
  std::vector<size_t> partition_of_;
  std::map<std::string, Box> boxes_;
  std::map<std::pair<std::string, std::string>, Arrow> arrows_;
};

void Drawing::add_boxes() {
  std::map<std::string, std::pair<size_t, double>> sums;  // of nodes and milliseconds
  for (NodeId n = 0; n < static_cast<NodeId>(graph_.nodes.size()); ++n) {
    const Node& node = graph_.node(n);
    const auto i = static_cast<size_t>(n);
    double ms = 0;
    if (plan_.costs) {
      const NodeCost& cost = plan_.costs->nodes[i];
      ms = 1e-6 * static_cast<double>((css(n) == "gpu" ? cost.gpu_ns : cost.cpu_ns).value_or(0));
    }
    auto& sum = sums[box_of(n)];
    ++sum.first;
    sum.second += ms;
    const std::string time = plan_.costs ? fmt::format("\\n{:.3f} ms", sum.second) : "";
    Box& box = boxes_[box_of(n)];
    box.css = css(n);
    box.cluster = partition_of_[i];
    const std::string device = box.css == "gpu" ? "GPU" : "CPU";
    if (level_ == Level::nodes) {
      box.label =
          fmt::format("{} {}\\n{}{}", device, quoted(node.op, 40), quoted(node.name, 48), time);
      box.tooltip = fmt::format("{} {} on the {}: {}", node.op, report::clipped(node.name, 300),
                                device, plan_.reasons[i]);
      continue;
    }
    const std::string name =
        level_ == Level::partitions ? fmt::format("{} {}", device, partition_of_[i] + 1) : device;
    const std::string nodes = report::count(static_cast<double>(sum.first), "layer");
    box.label = fmt::format("{}\\n{}{}", name, nodes, time);
    box.tooltip = fmt::format("{}: {}", name, nodes);
  }
}

void Drawing::add_arrow(const std::string& from, const std::string& to, ValueId v, bool from_gpu,
                        bool to_gpu) {
  if (from == to) return;
  const Value& value = graph_.value(v);
  Arrow& arrow = arrows_[{from, to}];
  ++arrow.tensors;
  arrow.bytes +=
      static_cast<double>(value.shape.elements()) * static_cast<double>(size_of(value.dtype));
  if (from_gpu == to_gpu) return;
  (to_gpu ? arrow.up : arrow.down) = true;
  if (!plan_.costs) return;
  const TransferCost& cost = plan_.costs->transfers[static_cast<size_t>(v)];
  arrow.ms += 1e-6 * static_cast<double>(to_gpu ? cost.up_ns : cost.down_ns);
}

void Drawing::add_arrows() {
  const auto readers = graph_.consumers();
  for (ValueId v = 0; v < static_cast<ValueId>(graph_.values.size()); ++v) {
    const Value& value = graph_.value(v);
    const auto& reads = readers[static_cast<size_t>(v)];
    if (value.constant || (value.producer < 0 && reads.empty())) continue;
    const bool made = value.producer >= 0;
    const bool from_gpu = made && css(value.producer) == "gpu";
    const std::string from = made ? box_of(value.producer) : fmt::format("v{}", v);
    if (!made) boxes_[from] = {quoted(value.name, 48), "input " + value.name, "io"};
    // Boxes of several nodes take a tensor once, however many of them read it.
    std::map<std::string, bool> targets;
    for (NodeId n : reads)
      targets[box_of(n)] = css(n) == "gpu";
    for (const auto& [to, to_gpu] : targets)
      add_arrow(from, to, v, from_gpu, to_gpu);
    if (!made || !graph_.is_output(v)) continue;
    boxes_[fmt::format("o{}", v)] = {quoted(value.name, 48), "output " + value.name, "io"};
    add_arrow(from, fmt::format("o{}", v), v, from_gpu, false);
  }
}

std::string drawn_box(const std::string& name, const Box& box) {
  const std::string_view look =
      box.css == "gpu"   ? "shape=box, style=\"filled,rounded\", fillcolor=\"#dbe8f8\""
      : box.css == "cpu" ? "shape=box, style=filled, fillcolor=\"#fbe6cd\""
                         : "shape=ellipse";
  const std::string tooltip =
      box.css == "io" ? "" : fmt::format(", tooltip=\"{}\"", quoted(box.tooltip, 1000));
  return fmt::format("    {} [label=\"{}\", class=\"{}\", {}{}];\n", name, box.label, box.css, look,
                     tooltip);
}

PlanPicture Drawing::write() const {
  constexpr std::string_view kWhat[] = {"Every layer",
                                        "Every partition, because there are too many "
                                        "layers to draw",
                                        "Each device, because there are too many "
                                        "partitions to draw"};
  PlanPicture picture;
  picture.note = fmt::format(
      "{}. Blue and rounded: GPU; orange and square: CPU; bold arrows carry tensors between host "
      "and "
      "GPU",
      kWhat[static_cast<size_t>(level_)]);
  std::string& text = picture.dot;
  text =
      "digraph plan {\n  charset=\"UTF-8\"; rankdir=TB; labeljust=l; fontname=\"Helvetica\"; "
      "fontsize=10; node [style=filled, fillcolor=white, fontname=\"Helvetica\", fontsize=10, "
      "margin=\"0.16,0.06\"]; edge [fontname=\"Helvetica\", fontsize=9];\n";
  std::vector<std::string> clusters(level_ == Level::nodes ? plan_.partitions.size() : 0);
  for (const auto& [name, box] : boxes_) {
    picture.tooltips[name] = box.tooltip;
    (box.css != "io" && !clusters.empty() ? clusters[box.cluster] : text) += drawn_box(name, box);
  }
  for (size_t p = 0; p < clusters.size(); ++p)
    text += fmt::format("  subgraph cluster_{} {{ label=\"{} {}\"; style=dashed;\n{}  }}\n", p,
                        plan_.partitions[p].device->info().kind == DeviceKind::gpu ? "GPU" : "CPU",
                        p + 1, clusters[p]);
  for (const auto& [ends, arrow] : arrows_) {
    text += fmt::format("  {} -> {}", ends.first, ends.second);
    if (arrow.up || arrow.down) {
      // Graphviz lays labels against the arrow; spaces that do not break keep them off it.
      text += fmt::format(" [label=\"{0}{1} {2:.3f} MB", kSpace, arrow.up ? "up" : "down",
                          arrow.bytes * 1e-6);
      if (arrow.tensors > 1) text += fmt::format(" in {} tensors", arrow.tensors);
      if (plan_.costs) text += fmt::format("\\l{}{:.3f} ms", kSpace, arrow.ms);
      text += "\\l";
      text += "\", class=\"transfer\", penwidth=2, color=\"#a8205f\"]";
    }
    text += ";\n";
  }
  text += "}\n";
  return picture;
}

}  // namespace

PlanPicture plan_picture(const Graph& graph, const Plan& plan, PictureLimits limits) {
  for (Level level : {Level::nodes, Level::partitions}) {
    const Drawing drawing(graph, plan, level);
    if (drawing.fits(limits)) return drawing.write();
  }
  return Drawing(graph, plan, Level::devices).write();
}

}  // namespace vultus::app
