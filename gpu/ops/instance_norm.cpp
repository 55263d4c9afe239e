#include <algorithm>
#include <bit>

#include "gpu/ops/image.hpp"
#include "gpu/ops/strided.hpp"
#include "host/graph/activation.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t teams, channels, pixels;
  float epsilon, alpha, beta;
};

/// Threads of a workgroup: enough loads in flight for a large map, fewer idle ones for a small one.
uint32_t team_size(const Caps& caps, uint32_t pixels) {
  return pixels <= 64 || caps.software ? 64 : std::bit_floor(std::min(256u, caps.max_invocations));
}

Support supports(const Graph& graph, const Node& node, const Caps&) {
  for (size_t i : {size_t{1}, size_t{2}})
    if (!graph.constant(node.input(i)))
      return Support::no("InstanceNormalization: scale or bias computed at run time");
  return image_operands(graph, node);
}

void build(Builder& b, const Node& node) {
  const Graph& graph = b.graph();
  TensorRef in = b.input(node.inputs[0], Layout::nhwc8);
  TensorRef out = b.output(node.outputs[0], Layout::nhwc8);
  uint32_t teams = in.n() * in.groups(), pixels = in.h() * in.w();
  uint32_t size = team_size(b.caps(), pixels);
  auto constant = [&](size_t i) {
    return Binding{b.floats(per_channel(constant_floats(graph, node.inputs[i]), in.c())),
                   Access::read};
  };
  Epilogue epilogue = epilogue_of(node);
  b.dispatch(
      "instance_norm", {size, static_cast<uint32_t>(epilogue.kind)},
      Push{teams, in.c(), pixels, node.real("epsilon", 1e-5f), epilogue.alpha, epilogue.beta},
      {reads(in), constant(1), constant(2), writes(out)}, fold(uint64_t{teams} * size));
}

const RegisterGpu instance_norm({"InstanceNormalization", supports, build});

}  // namespace
}  // namespace vultus::gpu
