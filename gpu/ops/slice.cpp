#include <algorithm>

#include "gpu/ops/strided.hpp"
#include "gpu/view.hpp"

namespace vultus::gpu {
namespace {

Support supports(const Graph& graph, const Node& node, const Caps&) {
  return plain_tensors(graph, node, true);
}

/// Output `i` is what starts at `starts` and goes on in `steps` (both per axis).
void cut(Builder& b, const Node& node, size_t i, const std::vector<int64_t>& starts,
         const std::vector<int64_t>& steps) {
  const Shape& result = b.graph().shape(node.outputs[i]);
  Layout layout = b.layout_of(node.inputs[0]);
  auto view = sliced(b.view(node.inputs[0]), starts, steps, result);
  if (!view) view = sliced(view_of(b.input(node.inputs[0], layout)), starts, steps, result);
  b.alias(node.outputs[i], std::move(*view), layout);
}

void build_slice(Builder& b, const Node& node) {
  const Graph& graph = b.graph();
  const Shape& x = graph.shape(node.inputs[0]);
  bool attributes = node.opset < 10;
  auto list = [&](size_t input, std::string_view name) {
    return attributes ? node.integers(name) : constant_integers(graph, node.input(input));
  };
  std::vector<int64_t> begin = list(1, "starts"), axes = list(3, "axes"), step = list(4, "steps");
  auto rank = static_cast<size_t>(x.rank());
  std::vector<int64_t> starts(rank, 0), steps(rank, 1);
  for (size_t i = 0; i < begin.size(); ++i) {
    int axis = from_front(axes.empty() ? static_cast<int64_t>(i) : axes[i], x.rank());
    auto d = static_cast<size_t>(axis);
    if (!step.empty()) steps[d] = step[i];
    int64_t start = begin[i] < 0 ? begin[i] + x[axis] : begin[i];
    starts[d] = std::clamp<int64_t>(start, 0, x[axis] - 1);
    if (graph.shape(node.outputs[0])[axis] == 1) steps[d] = 1;  // may be as large as int64
  }
  cut(b, node, 0, starts, steps);
}

void build_split(Builder& b, const Node& node) {
  const Shape& x = b.graph().shape(node.inputs[0]);
  auto rank = static_cast<size_t>(x.rank());
  int axis = from_front(node.integer("axis", 0), x.rank());
  std::vector<int64_t> starts(rank, 0), steps(rank, 1);
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    cut(b, node, i, starts, steps);
    starts[static_cast<size_t>(axis)] += b.graph().shape(node.outputs[i])[axis];
  }
}

Support supports_split(const Graph& graph, const Node& node, const Caps& caps) {
  for (ValueId id : node.outputs)
    if (id == kNoValue) return Support::no("Split: an output that is left out");
  return supports(graph, node, caps);
}

const RegisterGpu slice({"Slice", supports, build_slice});
const RegisterGpu split({"Split", supports_split, build_split});

}  // namespace
}  // namespace vultus::gpu
