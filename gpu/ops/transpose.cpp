#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

Support supports(const Graph& graph, const Node& node, const Caps&) {
  return plain_tensors(graph, node, true);
}

std::vector<int64_t> permutation(const Graph& graph, const Node& node) {
  std::vector<int64_t> perm = node.integers("perm");
  if (!perm.empty()) return perm;
  for (int i = graph.shape(node.inputs[0]).rank(); i-- > 0;)
    perm.push_back(i);
  return perm;
}

void build(Builder& b, const Node& node) {
  const Graph& graph = b.graph();
  const Shape& result = graph.shape(node.outputs[0]);
  std::vector<int64_t> perm = permutation(graph, node);
  TensorRef in = as_it_lies(b, node.inputs[0]);
  // Channels that stay channels keep the layout; pixels that become channels-first (the reverse of
  // what detector heads do) meet convolutions next.
  bool images = result.rank() == 4 && !is_integer(in.dtype);
  bool nhwc8 = images && (in.layout == Layout::nhwc8 ? perm[1] == 1
                                                     : perm == std::vector<int64_t>{0, 3, 1, 2});
  TensorRef out = b.output(node.outputs[0], nhwc8 ? Layout::nhwc8 : Layout::linear);
  std::vector<int64_t> own = strides_of(in), strides;
  for (int64_t axis : perm)
    strides.push_back(own[static_cast<size_t>(axis)]);
  Copy what = copy_of(result, strides, out, true);
  if (nhwc8 && in.layout == Layout::nhwc8) what.valid = -1;  // its padding lanes are zero already
  copy(b, in, out, what);
}

const RegisterGpu transpose({"Transpose", supports, build});

}  // namespace
}  // namespace vultus::gpu
