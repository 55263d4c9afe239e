#include "gpu/ops/conv_stem.hpp"

namespace vultus::gpu {

namespace {

struct Push {
  EpiloguePush epilogue;
  uint32_t in_h, in_w, out_h, out_w;
  uint32_t tiles_w, tiles;
  uint32_t kernel_h, stride_h, pad_top, pad_left, dilation_h;
};

constexpr uint32_t kPixels = 4;
constexpr int64_t kWidestRow = 20;  // inputs that a thread keeps

/// [group of 8 outputs][ky][kx][input][8 outputs].
std::vector<float> packed(const Convolution& c, const WeightAt& at) {
  const auto kh = static_cast<size_t>(c.window.kernel[0]),
             kw = static_cast<size_t>(c.window.kernel[1]);
  std::vector<float> weights(c.out_groups() * kh * kw * c.in_channels * 8, 0.0f);
  for (size_t out = 0; out < c.out_channels; ++out)
    for (size_t ky = 0; ky < kh; ++ky)
      for (size_t kx = 0; kx < kw; ++kx)
        for (size_t in = 0; in < c.in_channels; ++in)
          weights[(((out / 8 * kh + ky) * kw + kx) * c.in_channels + in) * 8 + out % 8] =
              at(out, in, ky, kx);
  return weights;
}

}  // namespace

bool is_stem(const Convolution& c) {
  const Window& w = c.window;
  return c.groups == 1 && c.in_channels <= 4 && !c.scale && w.dilation[1] == 1 && w.taps() > 1 &&
         (kPixels - 1) * w.stride[1] + w.kernel[1] <= kWidestRow;
}

void add_stem_convolution(Builder& b, const Convolution& c, const WeightAt& at) {
  EpilogueParts parts = epilogue_parts(b, c, b.weights(packed(c, at)));
  const WindowPush w = push_of(c.window);
  const uint32_t tiles_w = (c.out_w + kPixels - 1) / kPixels;
  const uint32_t tiles = c.batch * c.out_h * tiles_w;
  Push push{parts.push, c.in_h,     c.in_w,     c.out_h,   c.out_w,    tiles_w,
            tiles,      w.kernel_h, w.stride_h, w.pad_top, w.pad_left, w.dilation_h};
  parts.spec.insert(parts.spec.end(), {kPixels, c.in_channels, w.kernel_w, w.stride_w});
  b.dispatch("conv_stem", std::move(parts.spec), push, std::move(parts.bindings),
             {tiles, c.out_groups(), 1});
}

}  // namespace vultus::gpu
