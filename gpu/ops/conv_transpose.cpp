#include "gpu/ops/convolution.hpp"
#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t in_h, in_w, in_groups;
  uint32_t out_h, out_w, out_channels;
  uint32_t tiles_w, threads;
  WindowPush window;
  uint32_t span, outs_per_group, ins_per_group;
  float alpha, beta;
};

constexpr uint32_t kPixels = 4;

Support supports(const Graph& graph, const Node& node, const Caps&) {
  if (Support s = image_operands(graph, node); !s.ok) return s;
  if (!graph.constant(node.inputs[1]))
    return Support::no("ConvTranspose: weights computed at run time");
  if (node.input(2) != kNoValue && !graph.constant(node.inputs[2]))
    return Support::no("ConvTranspose: a bias computed at run time");
  return Support::yes();
}

void build(Builder& b, const Node& node) {
  const Graph& graph = b.graph();
  const Shape& kernel = graph.shape(node.inputs[1]);
  TensorRef in = b.input(node.inputs[0], Layout::nhwc8);
  TensorRef out = b.output(node.outputs[0], Layout::nhwc8);
  Convolution c{.batch = in.n(),
                .in_h = in.h(),
                .in_w = in.w(),
                .in_channels = in.c(),
                .out_h = out.h(),
                .out_w = out.w(),
                .out_channels = out.c(),
                .window = resolve_transposed_window(node, in.shape, kernel).value(),
                .groups = static_cast<uint32_t>(node.integer("group", 1))};
  const Epilogue epilogue = epilogue_of(node);
  auto weights = constant_floats(graph, node.inputs[1]);
  const Window& w = c.window;
  const size_t ins = c.ins_per_group(), outs = c.outs_per_group();
  auto packed = pack_weights(c, [&](size_t o, size_t i, size_t ky, size_t kx) {
    size_t channel = o / outs * ins + i;
    size_t row = (channel * outs + o % outs) * static_cast<size_t>(kernel[2]) + ky;
    return weights[row * static_cast<size_t>(kernel[3]) + kx];
  });
  // A thread's pixels are a stride apart, so that they meet the same taps.
  uint32_t stride = static_cast<uint32_t>(w.stride[1]);
  uint32_t columns = (c.out_w + stride - 1) / stride;
  uint32_t tiles_w = (columns + kPixels - 1) / kPixels * stride;
  uint32_t threads = c.batch * c.out_h * tiles_w * c.out_groups();
  Push push{c.in_h,
            c.in_w,
            c.in_groups(),
            c.out_h,
            c.out_w,
            c.out_channels,
            tiles_w,
            threads,
            push_of(w),
            input_span(c),
            c.outs_per_group(),
            c.ins_per_group(),
            epilogue.alpha,
            epilogue.beta};
  auto bias = per_channel(constant_floats(graph, node.input(2)), c.out_channels);
  b.dispatch(
      "conv_transpose", {static_cast<uint32_t>(epilogue.kind)}, push,
      {reads(in), {b.weights(packed), Access::read}, {b.floats(bias), Access::read}, writes(out)},
      fold(threads));
}

const RegisterGpu conv_transpose({"ConvTranspose", supports, build});

}  // namespace
}  // namespace vultus::gpu
