#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host/core/parallel.hpp"
#include "host/cpu/kernels.hpp"
#include "host/graph/fused.hpp"
#include "host/ops/fused.hpp"
#include "host/ops/op.hpp"
#include "host/ops/window.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  // Ours: input 3, a residual of the output's shape, added before the fused activation; input 4, an
  // addend that is repeated to the output's shape; input 5, a scale per image and channel [N,C,1,1]
  // by which x is multiplied; output 1 (host/graph/fused.hpp).
  VULTUS_CHECK(node.expect_inputs(2, 6));
  for (size_t i = 0; i < 6; ++i)
    VULTUS_CHECK(node.expect_type(i, {DType::f32}));
  const Shape &x = node.shape(0), &w = node.shape(1);
  VULTUS_TRY(Window window, resolve_window(node.node(), x, w));
  const int64_t group = node.node().integer("group", 1);
  if (group < 1 || x[1] % group != 0)
    return node.fail(fmt::format("group {} does not divide {} input channels", group, x[1]));
  if (w[0] % group != 0)
    return node.fail(fmt::format("group {} does not divide {} output channels", group, w[0]));
  if (w[1] != x[1] / group)
    return node.fail(fmt::format("weights {} want {} input channels per group, the input has {}",
                                 w.str(), w[1], x[1] / group));
  const auto kernel = node.node().integers("kernel_shape", {w[2], w[3]});
  if (kernel != std::vector<int64_t>{w[2], w[3]})
    return node.fail(fmt::format("kernel_shape differs from the weights' {}x{}", w[2], w[3]));
  if (node.has(2) && node.shape(2) != Shape{w[0]})
    return node.fail(fmt::format("bias has shape {}, expected {}", node.shape(2).str(), w[0]));
  const Shape out{x[0], w[0], window.out[0], window.out[1]};
  if (node.has(3) && node.shape(3) != out)
    return node.fail(
        fmt::format("residual has shape {}, the output {}", node.shape(3).str(), out.str()));
  if (node.has(5) && node.shape(5) != Shape{x[0], x[1], 1, 1})
    return node.fail(fmt::format("scale has shape {}, the input {}", node.shape(5).str(), x.str()));
  if (node.has(4) && !fit_addend(node.shape(4), out))
    return node.fail(fmt::format("an addend of shape {} does not cover the output {}",
                                 node.shape(4).str(), out.str()));
  VULTUS_CHECK(node.set(0, DType::f32, out));
  return infer_second_output(node);
}

constexpr int64_t kTile = 256;  ///< outputs of a row whose sums stay in the first cache level

// Adds w * x to `count` sums of one row of the output from `begin` on, for the taps that lie within
// the input.
void add_row(double* sum, int64_t begin, int64_t count, const float* x, double w,
             const Window& window, int64_t kx, int64_t width) {
  const int64_t stride = window.stride[1];
  const int64_t shift = kx * window.dilation[1] - window.pad_begin[1];
  const int64_t first = shift < 0 ? (-shift + stride - 1) / stride : 0;
  const int64_t last = width > shift ? (width - shift + stride - 1) / stride : 0;
  const int64_t from = std::max(first, begin), end = std::min(last, begin + count);
  // The usual strides as constants, so that the loop is vectorised.
  auto add = [&](auto step) {
    for (int64_t o = from; o < end; ++o)
      sum[o - begin] += w * static_cast<double>(x[o * step + shift]);
  };
  if (stride == 1)
    add(std::integral_constant<int64_t, 1>{});
  else if (stride == 2)
    add(std::integral_constant<int64_t, 2>{});
  else
    add(stride);
}

void convolve(Eval& node, const Window& window) {
  const TensorView &x = node.in[0], &w = node.in[1], &out = node.out[0];
  const int64_t height = x.shape[2], width = x.shape[3];
  const int64_t channels = w.shape[1], outputs = out.shape[1];
  const int64_t per_group = outputs / node.node.integer("group", 1);
  const float *px = x.as<const float>().data(), *pw = w.as<const float>().data();
  const float* bias = node.has(2) ? node.in[2].as<const float>().data() : nullptr;
  const float* residual = node.has(3) ? node.in[3].as<const float>().data() : nullptr;
  const float* scale = node.has(5) ? node.in[5].as<const float>().data() : nullptr;
  float* po = out.as<float>().data();
  const int64_t rows = out.shape[0] * outputs * window.out[0];
  const int64_t tiles = (window.out[1] + kTile - 1) / kTile;
  const int64_t cost = channels * window.taps() * std::min(window.out[1], kTile);
  parallel_for(rows * tiles, cost, [&](int64_t begin, int64_t end) {
    for (int64_t piece = begin; piece < end; ++piece) {
      const int64_t row = piece / tiles, first = piece % tiles * kTile;
      const int64_t y = row % window.out[0], m = row / window.out[0] % outputs;
      const int64_t n = row / window.out[0] / outputs;
      const int64_t count = std::min(kTile, window.out[1] - first);
      std::array<double, kTile> sum;
      sum.fill(bias ? static_cast<double>(bias[m]) : 0.0);
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t map = n * x.shape[1] + m / per_group * channels + c;
        const float* plane = px + map * height * width;
        const double factor = scale ? static_cast<double>(scale[map]) : 1.0;
        for (int64_t ky = 0; ky < window.kernel[0]; ++ky) {
          const int64_t from = y * window.stride[0] + ky * window.dilation[0] - window.pad_begin[0];
          if (from < 0 || from >= height) continue;
          const float* taps = pw + ((m * channels + c) * window.kernel[0] + ky) * window.kernel[1];
          for (int64_t kx = 0; kx < window.kernel[1]; ++kx)
            add_row(sum.data(), first, count, plane + from * width,
                    static_cast<double>(taps[kx]) * factor, window, kx, width);
        }
      }
      for (int64_t i = 0; i < count; ++i) {
        const int64_t at = row * window.out[1] + first + i;
        const double extra = residual ? static_cast<double>(residual[at]) : 0.0;
        po[at] = static_cast<float>(sum[static_cast<size_t>(i)] + extra);
      }
    }
  });
}

Result<Prepared> prepare(const Eval& node) {
  VULTUS_TRY(Window window, resolve_window(node.node, node.in[0].shape, node.in[1].shape));
  return Prepared{[window, second = find_second_output(node.node)](Eval& run) -> Result<void> {
    convolve(run, window);
    const TensorView& out = run.out[0];
    const bool last = adds_last(run.node);
    if (run.has(4) && !last) add_repeated(run.in[4], out);
    activate(epilogue_of(run.node), out.as<float>());
    if (run.has(4) && last) add_repeated(run.in[4], out);
    write_second_output(run, second);
    return {};
  }};
}

int64_t macs(const Graph& graph, const Node& node) {
  const Shape& w = graph.shape(node.inputs[1]);
  return graph.shape(node.outputs[0]).elements() * w[1] * w[2] * w[3];
}

const Register conv({.name = "Conv",
                     .infer = infer,
                     .prepare = prepare,
                     .build = cpu::build_conv,
                     .macs = macs,
                     .limits = "2-D, float32"});

}  // namespace
}  // namespace vultus
