#include "gpu/ops/strided.hpp"
#include "gpu/view.hpp"

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
  // Channels that stay channels keep the layout; pixels that become channels-first (the reverse of
  // what detector heads do) meet convolutions next.
  bool nhwc8 = result.rank() == 4 && (b.layout_of(node.inputs[0]) == Layout::nhwc8
                                          ? perm[1] == 1
                                          : perm == std::vector<int64_t>{0, 3, 1, 2});
  b.alias(node.outputs[0], transposed(b.view(node.inputs[0]), perm),
          nhwc8 ? Layout::nhwc8 : Layout::linear);
}

const RegisterGpu transpose({"Transpose", supports, build});

}  // namespace
}  // namespace vultus::gpu
