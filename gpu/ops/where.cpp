#include "gpu/ops/elementwise.hpp"
#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

Support supports(const Graph& graph, const Node& node, const Caps&) {
  return broadcasts(graph, node);
}

void build(Builder& b, const Node& node) {
  bool integers = is_integer(b.graph().value(node.inputs[1]).dtype);
  elementwise(b, node, {.kernel = "where", .spec = {integers ? 1u : 0u}});
}

const RegisterGpu where({"Where", supports, build});

}  // namespace
}  // namespace vultus::gpu
