#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host/core/parallel.hpp"
#include "host/cpu/kernels.hpp"
#include "host/graph/activation.hpp"
#include "host/ops/op.hpp"
#include "host/ops/window.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 3));
  for (size_t i = 0; i < 3; ++i)
    VULTUS_CHECK(node.expect_type(i, {DType::f32}));
  const Shape &x = node.shape(0), &w = node.shape(1);
  VULTUS_TRY(Window window, resolve_transposed_window(node.node(), x, w));
  const int64_t group = node.node().integer("group", 1);
  if (group < 1 || x[1] % group != 0)
    return node.fail(fmt::format("group {} does not divide {} input channels", group, x[1]));
  if (w[0] != x[1])
    return node.fail(
        fmt::format("weights {} want {} input channels, the input has {}", w.str(), w[0], x[1]));
  const auto outputs = checked_elements(std::array{w[1], group});
  if (!outputs) return node.fail(fmt::format("group {} is out of range", group));
  const auto kernel = node.node().integers("kernel_shape", {w[2], w[3]});
  if (kernel != std::vector<int64_t>{w[2], w[3]})
    return node.fail(fmt::format("kernel_shape differs from the weights' {}x{}", w[2], w[3]));
  if (node.has(2) && node.shape(2) != Shape{*outputs})
    return node.fail(fmt::format("bias has shape {}, expected {}", node.shape(2).str(), *outputs));
  return node.set(0, DType::f32, {x[0], *outputs, window.out[0], window.out[1]});
}

constexpr int64_t kTile = 256;  ///< outputs of a row whose sums stay in the first cache level

// Scatters one input row, scaled by a tap, into `count` sums of one output row from `begin` on.
void scatter_row(double* sum, int64_t begin, int64_t count, const float* x, double w,
                 const Window& window, int64_t kx, int64_t width) {
  const int64_t stride = window.stride[1];
  const int64_t shift = kx * window.dilation[1] - window.pad_begin[1] - begin;
  const int64_t first = shift < 0 ? (-shift + stride - 1) / stride : 0;
  const int64_t last = count > shift ? std::min(width, (count - shift + stride - 1) / stride) : 0;
  for (int64_t i = first; i < last; ++i)
    sum[i * stride + shift] += w * static_cast<double>(x[i]);
}

void convolve(const Eval& node, const Window& window) {
  const TensorView &x = node.in[0], &w = node.in[1], &out = node.out[0];
  const int64_t height = x.shape[2], width = x.shape[3], outputs = out.shape[1];
  const int64_t per_group = w.shape[1];
  const int64_t channels = x.shape[1] / node.node.integer("group", 1);
  const float *px = x.as<const float>().data(), *pw = w.as<const float>().data();
  const float* bias = node.has(2) ? node.in[2].as<const float>().data() : nullptr;
  float* po = out.as<float>().data();
  const int64_t rows = out.shape[0] * outputs * window.out[0];
  const int64_t tiles = (window.out[1] + kTile - 1) / kTile;
  const int64_t cost = channels * window.taps() * std::min(width, kTile);
  parallel_for(rows * tiles, cost, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t row = piece / tiles, first = piece % tiles * kTile;
      const int64_t y = row % window.out[0], m = row / window.out[0] % outputs;
      const int64_t n = row / window.out[0] / outputs;
      const int64_t count = std::min(kTile, window.out[1] - first);
      std::array<double, kTile> sum;
      sum.fill(bias ? static_cast<double>(bias[m]) : 0.0);
      for (int64_t ky = 0; ky < window.kernel[0]; ++ky) {
        const int64_t at = y + window.pad_begin[0] - ky * window.dilation[0];
        const int64_t from = at / window.stride[0];
        if (at < 0 || at % window.stride[0] != 0 || from >= height) continue;
        for (int64_t c = 0; c < channels; ++c) {
          const int64_t channel = m / per_group * channels + c;
          const float* line = px + ((n * x.shape[1] + channel) * height + from) * width;
          const float* taps = pw + ((channel * per_group + m % per_group) * window.kernel[0] + ky) *
                                       window.kernel[1];
          for (int64_t kx = 0; kx < window.kernel[1]; ++kx)
            scatter_row(sum.data(), first, count, line, static_cast<double>(taps[kx]), window, kx,
                        width);
        }
      }
      std::transform(sum.begin(), sum.begin() + count, po + row * window.out[1] + first,
                     [](double v) { return static_cast<float>(v); });
    }
  });
}

Result<Prepared> prepare(const Eval& node) {
  VULTUS_TRY(Window window,
             resolve_transposed_window(node.node, node.in[0].shape, node.in[1].shape));
  return Prepared{[window](Eval& run) -> Result<void> {
    convolve(run, window);
    activate(epilogue_of(run.node), run.out[0].as<float>());
    return {};
  }};
}

int64_t macs(const Graph& graph, const Node& node) {
  const Shape& w = graph.shape(node.inputs[1]);
  return graph.shape(node.inputs[0]).elements() * w[1] * w[2] * w[3];
}

const Register conv_transpose({.name = "ConvTranspose",
                               .infer = infer,
                               .prepare = prepare,
                               .build = cpu::build_conv_transpose,
                               .macs = macs,
                               .limits = "2-D, float32"});

}  // namespace
}  // namespace vultus
