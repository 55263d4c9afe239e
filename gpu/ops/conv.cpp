#include <fmt/format.h>

#include "gpu/ops/convolution.hpp"
#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct DepthwisePush {
  EpiloguePush epilogue;
  uint32_t in_h, in_w, out_h, out_w;
  uint32_t tiles_w, threads;
  WindowPush window;
};

constexpr uint32_t kDepthwisePixels = 4;

Support supports(const Graph& graph, const Node& node, const Caps& caps) {
  if (Support s = image_operands(graph, node); !s.ok) return s;
  if (!graph.constant(node.inputs[1])) return Support::no("Conv: weights computed at run time");
  if (Support s = epilogue_fits(graph, node); !s.ok) return s;
  const Shape& out = graph.shape(node.outputs[0]);
  const Window window =
      resolve_window(node, graph.shape(node.inputs[0]), graph.shape(node.inputs[1])).value();
  if (node.input(5) != kNoValue && (node.integer("group", 1) != 1 || !window.is_point()))
    return Support::no("Conv: a scale of the input, with windows of more than a pixel");
  return convolution_fits(caps, "Conv", out[0] * out[2], out[3], out[1]);
}

void build_depthwise(Builder& b, const Convolution& c, std::span<const float> weights) {
  const Window& w = c.window;
  const size_t taps = static_cast<size_t>(w.taps()), lanes = size_t{c.out_groups()} * 8;
  std::vector<float> packed(taps * lanes, 0.0f);
  for (size_t channel = 0; channel < c.out_channels; ++channel)
    for (size_t tap = 0; tap < taps; ++tap)
      packed[tap * lanes + channel] = weights[channel * taps + tap];
  // The usual windows keep their row in registers; each is compiled on its own.
  const bool known =
      w.dilation[1] == 1 && w.stride[1] <= 2 && (w.kernel[1] == 3 || w.kernel[1] == 5);
  const WindowPush window = push_of(w);
  uint32_t tiles_w = (c.out_w + kDepthwisePixels - 1) / kDepthwisePixels;
  uint32_t threads = c.batch * c.out_h * tiles_w * c.out_groups();
  EpilogueParts parts = epilogue_parts(b, c, b.weights(packed));
  DepthwisePush push{parts.push, c.in_h, c.in_w, c.out_h, c.out_w, tiles_w, threads, window};
  parts.spec.insert(parts.spec.end(),
                    {kDepthwisePixels, known ? window.kernel_w : 0u, known ? window.stride_w : 1u});
  b.dispatch("conv_depthwise", std::move(parts.spec), push, std::move(parts.bindings),
             fold(threads));
}

void build(Builder& b, const Node& node) {
  const Graph& graph = b.graph();
  const Shape& kernel = graph.shape(node.inputs[1]);
  TensorRef in = b.input(node.inputs[0], Layout::nhwc8);
  std::optional<BufferId> scale;
  if (node.input(5) != kNoValue) scale = b.input(node.inputs[5], Layout::nhwc8).buffer;
  const Shape& out = graph.shape(node.outputs[0]);
  Convolution c{.input = in.buffer,
                .batch = in.n(),
                .in_h = in.h(),
                .in_w = in.w(),
                .in_channels = in.c(),
                .out_h = static_cast<uint32_t>(out[2]),
                .out_w = static_cast<uint32_t>(out[3]),
                .out_channels = static_cast<uint32_t>(out[1]),
                .window = resolve_window(node, in.shape, kernel).value(),
                .groups = static_cast<uint32_t>(node.integer("group", 1)),
                .scale = scale,
                .epilogue = conv_epilogue_of(b, node)};
  auto weights = constant_floats(graph, node.inputs[1]);
  if (c.groups > 1 && c.groups == c.in_channels && c.groups == c.out_channels)
    return build_depthwise(b, c, weights);
  const size_t ins = c.ins_per_group(), kh = static_cast<size_t>(kernel[2]),
               kw = static_cast<size_t>(kernel[3]);
  add_convolution(b, c, [&](size_t o, size_t i, size_t ky, size_t kx) {
    return weights[((o * ins + i) * kh + ky) * kw + kx];
  });
}

const RegisterGpu conv({"Conv", supports, build});

}  // namespace
}  // namespace vultus::gpu
