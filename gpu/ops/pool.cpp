#include <fmt/format.h>

#include "gpu/ops/convolution.hpp"
#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t in_h, in_w, out_h, out_w, groups, channels;
  uint32_t threads;
  WindowPush window;
  std::array<uint32_t, 2> count_before, count_after;
  float alpha, beta;  // of the second output's activation
};

struct GlobalPush {
  uint32_t teams, groups, pixels;
};

constexpr uint32_t kTeamSize = 64;

Support supports(const Graph& graph, const Node& node, const Caps&) {
  if (node.outputs.size() > 1 && node.outputs[1] != kNoValue && !has_second_output(node))
    return Support::no(fmt::format("{}: the GPU kernel does not give indices", node.op));
  return image_operands(graph, node);
}

void build(Builder& b, const Node& node) {
  TensorRef in = b.input(node.inputs[0], Layout::nhwc8);
  const bool stores_second = has_second_output(node);
  const bool stores_first = !stores_second || b.is_read(node.outputs[0]);
  TensorRef out = b.output(node.outputs[stores_first ? 0 : 1], Layout::nhwc8);
  TensorRef second_out = out;
  SecondOutput second;
  BufferId numbers = in.buffer;
  if (stores_second) {
    second = second_output_of(node);
    if (stores_first) second_out = b.output(node.outputs[1], Layout::nhwc8);
    numbers = b.floats(second_numbers(second, in.c()));
  }
  Window w = resolve_window(node, in.shape).value();
  uint32_t threads = out.n() * out.h() * out.w() * out.groups();
  Push push{in.h(),  in.w(),     out.h(), out.w(), in.groups(),           in.c(),
            threads, push_of(w), {},      {},      second.epilogue.alpha, second.epilogue.beta};
  if (node.integer("count_include_pad", 0) != 0)
    for (size_t axis : {size_t{0}, size_t{1}}) {
      push.count_before[axis] = static_cast<uint32_t>(w.pad_begin[axis]);
      push.count_after[axis] = static_cast<uint32_t>(w.pad_end[axis]);
    }
  b.dispatch("pool",
             {node.op == "AveragePool" ? 1u : 0u, stores_first ? 1u : 0u, stores_second ? 1u : 0u,
              static_cast<uint32_t>(second.epilogue.kind)},
             push, {reads(in), writes(out), writes(second_out), {numbers, Access::read}},
             fold(threads));
}

Support global_supports(const Graph& graph, const Node& node, const Caps&) {
  return image_operands(graph, node);
}

void build_global(Builder& b, const Node& node) {
  TensorRef in = b.input(node.inputs[0], Layout::nhwc8);
  TensorRef out = b.output(node.outputs[0], Layout::nhwc8);
  uint32_t teams = in.n() * in.groups();
  b.dispatch("global_pool", {node.op == "GlobalAveragePool" ? 1u : 0u},
             GlobalPush{teams, in.groups(), in.h() * in.w()}, {reads(in), writes(out)},
             fold(uint64_t{teams} * kTeamSize));
}

const RegisterGpu max_pool({"MaxPool", supports, build});
const RegisterGpu average_pool({"AveragePool", supports, build});
const RegisterGpu global_max_pool({"GlobalMaxPool", global_supports, build_global});
const RegisterGpu global_average_pool({"GlobalAveragePool", global_supports, build_global});

}  // namespace
}  // namespace vultus::gpu
