#include "gpu/ops/batch_norm.hpp"
#include "gpu/ops/image.hpp"
#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t teams, groups, pixels;
  float epsilon;
};

constexpr uint32_t kTeamSize = 64;

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
  BufferId scale = b.scratch(uint64_t{teams} * 8 * sizeof(float));
  BufferId shift = b.scratch(uint64_t{teams} * 8 * sizeof(float));
  auto constant = [&](size_t i) {
    return Binding{b.floats(per_channel(constant_floats(graph, node.inputs[i]), in.c())),
                   Access::read};
  };
  b.dispatch("instance_norm", {}, Push{teams, in.groups(), pixels, node.real("epsilon", 1e-5f)},
             {reads(in), constant(1), constant(2), {scale, Access::write}, {shift, Access::write}},
             fold(uint64_t{teams} * kTeamSize));
  Epilogue epilogue = epilogue_of(node);
  uint32_t threads = teams * pixels;
  b.dispatch("batch_norm", {0, static_cast<uint32_t>(epilogue.kind)},
             BatchNormPush{threads, in.c(), pixels, 1, epilogue.alpha, epilogue.beta},
             {reads(in), {scale, Access::read}, {shift, Access::read}, writes(out)}, fold(threads));
}

const RegisterGpu instance_norm({"InstanceNormalization", supports, build});

}  // namespace
}  // namespace vultus::gpu
