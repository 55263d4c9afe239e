#include "host/ops/squeeze_excite.hpp"

#include <fmt/format.h>

#include "gpu/ops/image.hpp"
#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t images, groups, pixels, channels, hidden;
  float squeeze_alpha, squeeze_beta, gate_alpha, gate_beta;
};

constexpr uint32_t kThreads = 256;  // of a workgroup, and most groups and hidden units it takes
constexpr uint32_t kSharedBytes = kThreads * (2 * 32 + 8 * 4);  // means, parts, hidden units

Support supports(const Graph& graph, const Node& node, const Caps& caps) {
  if (Support s = image_operands(graph, node); !s.ok) return s;
  for (size_t i = 1; i < node.inputs.size(); ++i)
    if (node.inputs[i] != kNoValue && !graph.constant(node.inputs[i]))
      return Support::no("SqueezeExcite: weights computed at run time");
  if (caps.max_invocations < kThreads || caps.max_shared_bytes < kSharedBytes)
    return Support::no(
        fmt::format("SqueezeExcite: needs workgroups of {} threads with {} bytes, the device has "
                    "{} and {}",
                    kThreads, kSharedBytes, caps.max_invocations, caps.max_shared_bytes));
  const Shape& squeeze = graph.shape(node.inputs[1]);
  if (squeeze[1] > 8 * int64_t{kThreads} || squeeze[0] > kThreads)
    return Support::no(
        fmt::format("SqueezeExcite: {} channels and {} hidden units (at most {} and {})",
                    squeeze[1], squeeze[0], 8 * kThreads, kThreads));
  return Support::yes();
}

/// [hidden][group][8] from rows of hidden units or of channels.
std::vector<float> packed(std::span<const float> weights, size_t hidden, size_t channels,
                          bool transposed) {
  const size_t stored = (channels + 7) / 8 * 8;
  std::vector<float> rows(hidden * stored, 0.0f);
  for (size_t h = 0; h < hidden; ++h)
    for (size_t c = 0; c < channels; ++c)
      rows[h * stored + c] = weights[transposed ? c * hidden + h : h * channels + c];
  return rows;
}

void build(Builder& b, const Node& node) {
  const Graph& graph = b.graph();
  TensorRef x = b.input(node.inputs[0], Layout::nhwc8);
  TensorRef y = b.output(node.outputs[0], Layout::nhwc8);
  const auto hidden = static_cast<uint32_t>(graph.shape(node.inputs[1])[0]);
  const Epilogue squeeze = squeeze_epilogue_of(node), gate = epilogue_of(node);
  auto weights = [&](size_t input, bool transposed) {
    return b.weights(packed(constant_floats(graph, node.inputs[input]), hidden, x.c(), transposed));
  };
  auto bias = [&](size_t input, uint32_t count) {
    return b.floats(per_channel(constant_floats(graph, node.input(input)), count));
  };
  b.dispatch("squeeze_excite",
             {static_cast<uint32_t>(squeeze.kind), static_cast<uint32_t>(gate.kind)},
             Push{x.n(), x.groups(), x.h() * x.w(), x.c(), hidden, squeeze.alpha, squeeze.beta,
                  gate.alpha, gate.beta},
             {reads(x),
              {weights(1, false), Access::read},
              {bias(2, hidden), Access::read},
              {weights(3, true), Access::read},
              {bias(4, x.c()), Access::read},
              writes(y)},
             fold(uint64_t{x.n()} * kThreads));
}

const RegisterGpu squeeze_excite({"SqueezeExcite", supports, build});

}  // namespace
}  // namespace vultus::gpu
