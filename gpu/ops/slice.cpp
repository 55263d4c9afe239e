#include <algorithm>

#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

Support supports(const Graph& graph, const Node& node, const Caps&) {
  return plain_tensors(graph, node, true);
}

/// Copies what starts at `starts` and goes on in `steps` (both per axis) into output `i`.
void cut(Builder& b, const Node& node, size_t i, const std::vector<int64_t>& starts,
         const std::vector<int64_t>& steps) {
  const Shape& result = b.graph().shape(node.outputs[i]);
  TensorRef in = as_it_lies(b, node.inputs[0]);
  TensorRef out = b.output(node.outputs[i], in.layout);
  std::vector<int64_t> strides = strides_of(in);
  int64_t from = 0;
  for (size_t d = 0; d < strides.size(); ++d) {
    from += starts[d] * strides[d];
    strides[d] *= steps[d];
  }
  Copy what = copy_of(result, strides, out, true);
  what.from = from;
  // Channels up to the input's last one end in its own padding lanes, which are zero.
  if (out.layout == Layout::nhwc8 && steps[1] == 1 && starts[1] % 8 == 0 &&
      starts[1] + result[1] == in.shape[1])
    what.valid = -1;
  copy(b, in, out, what);
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
