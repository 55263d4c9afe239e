#include "gpu/ops/convolution.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gpu/ops/conv_stem.hpp"
#include "gpu/ops/conv_tile.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  EpiloguePush epilogue;
  uint32_t in_h, in_w, in_groups;
  uint32_t out_h, out_w;
  uint32_t tiles_w, tiles;
  WindowPush window;
  uint32_t span, outs_per_group, ins_per_group;
  uint32_t channels_along_x;
};

constexpr uint32_t kLocalSize = 32;
// Lanes of a lavapipe vector: fewer tiles than this leave lanes idle along x.
constexpr uint32_t kFewTiles = 8;
constexpr uint32_t kLeastPixels = 4;  // that the rules give a thread, where a row has more than one

/// One row where rows need not be told apart, and one image where images need not.
Convolution flattened(Convolution c) {
  if (!c.pointwise() || c.window.stride != std::array<int64_t, 2>{1, 1}) return c;
  c.in_w = c.out_w = c.out_h * c.out_w;
  c.in_h = c.out_h = 1;
  if (!c.scale) {
    c.in_w = c.out_w = c.batch * c.out_w;
    c.batch = 1;
  }
  return c;
}

ConvKey key_of(const Builder& b, const Convolution& c, const EpilogueParts& parts) {
  const WindowPush w = push_of(c.window);
  return {.batch = c.batch,
          .in_h = c.in_h,
          .in_w = c.in_w,
          .in_channels = c.in_channels,
          .out_h = c.out_h,
          .out_w = c.out_w,
          .out_channels = c.out_channels,
          .groups = c.groups,
          .kernel_h = w.kernel_h,
          .kernel_w = w.kernel_w,
          .stride_h = w.stride_h,
          .stride_w = w.stride_w,
          .pad_top = w.pad_top,
          .pad_left = w.pad_left,
          .dilation_h = w.dilation_h,
          .dilation_w = w.dilation_w,
          .scaled = c.scale ? 1u : 0u,
          .fp16 = b.precision() == Precision::fp16 ? 1u : 0u,
          .parts = parts.spec[0],
          .activation = parts.spec[1],
          .second_activation = parts.spec[2],
          .addend_h = parts.spec[3],
          .addend_w = parts.spec[4]};
}

/// shaders/conv.comp.
Dispatch direct_dispatch(const Convolution& c, uint32_t pixels, EpilogueParts parts) {
  const uint32_t tiles_w = (c.out_w + pixels - 1) / pixels;
  const uint32_t tiles = c.batch * c.out_h * tiles_w;
  const bool channels_along_x = tiles < kFewTiles && tiles < c.out_groups();
  Dispatch dispatch;
  dispatch.kernel = "conv";
  dispatch.spec = std::move(parts.spec);
  dispatch.bindings = std::move(parts.bindings);
  dispatch.threads = {tiles, c.out_groups(), 1};
  if (channels_along_x) std::swap(dispatch.threads[0], dispatch.threads[1]);
  dispatch.spec.insert(dispatch.spec.end(), {pixels, c.pointwise() ? 1u : 0u, c.scale ? 1u : 0u});
  dispatch.push = bytes_of(Push{parts.push, c.in_h, c.in_w, c.in_groups(), c.out_h, c.out_w,
                                tiles_w, tiles, push_of(c.window), input_span(c),
                                c.outs_per_group(), c.ins_per_group(), channels_along_x ? 1u : 0u});
  return dispatch;
}

}  // namespace

WindowPush push_of(const Window& w) {
  auto number = [](int64_t v) { return static_cast<uint32_t>(v); };
  return {number(w.kernel[0]),   number(w.kernel[1]),    number(w.stride[0]),
          number(w.stride[1]),   number(w.pad_begin[0]), number(w.pad_begin[1]),
          number(w.dilation[0]), number(w.dilation[1])};
}

uint32_t input_span(const Convolution& c) {
  if (c.groups == 1) return c.in_groups();
  uint32_t span = 1;
  for (uint32_t og = 0; og < c.out_groups(); ++og) {
    uint32_t last_out = std::min(8 * og + 7, c.out_channels - 1);
    uint32_t first = 8 * og / c.outs_per_group() * c.ins_per_group() / 8;
    uint32_t end = (last_out / c.outs_per_group() + 1) * c.ins_per_group();
    span = std::max(span, (end + 7) / 8 - first);
  }
  return span;
}

uint32_t first_input_group(const Convolution& c, uint32_t out_group) {
  return std::min(8 * out_group / c.outs_per_group() * c.ins_per_group() / 8,
                  c.in_groups() - input_span(c));
}

std::vector<float> pack_weights(const Convolution& c, const WeightAt& at) {
  const size_t span = input_span(c), kh = static_cast<size_t>(c.window.kernel[0]),
               kw = static_cast<size_t>(c.window.kernel[1]);
  std::vector<float> packed(c.out_groups() * kh * kw * span * 64, 0.0f);
  for (size_t out = 0; out < c.out_channels; ++out) {
    uint32_t og = static_cast<uint32_t>(out / 8);
    size_t first = size_t{first_input_group(c, og)} * 8;
    size_t group_start = out / c.outs_per_group() * c.ins_per_group();
    for (size_t in = 0; in < c.ins_per_group(); ++in) {
      size_t lane = group_start + in - first;
      for (size_t ky = 0; ky < kh; ++ky)
        for (size_t kx = 0; kx < kw; ++kx)
          packed[((((og * kh + ky) * kw + kx) * span + lane / 8) * 8 + lane % 8) * 8 + out % 8] =
              at(out, in, ky, kx);
    }
  }
  return packed;
}

EpilogueParts epilogue_parts(Builder& b, const Convolution& c, BufferId weights) {
  return epilogue_parts(b, c.epilogue, c.input, weights, c.out_channels, c.out_h, c.out_w);
}

ConvProblem problem_of(const Builder& b, const Convolution& c) {
  return {.pixels = uint64_t{c.batch} * c.out_h * c.out_w,
          .width = c.out_w,
          .in_channels = c.in_channels,
          .out_channels = c.out_channels,
          .taps = static_cast<uint32_t>(c.window.taps()),
          .groups = c.groups,
          .stem = is_stem(c),
          .fp16 = b.precision() == Precision::fp16};
}

void add_convolution(Builder& b, const Convolution& c, const WeightAt& at) {
  const Convolution flat = flattened(c);
  const std::vector<ConvChoice> candidates = convolution_candidates(problem_of(b, flat), b.caps());
  if (candidates[0].family == ConvFamily::stem) return add_stem_convolution(b, c, at);
  EpilogueParts parts = epilogue_parts(b, c, b.weights(pack_weights(c, at)));
  ConvOffer offer{key_of(b, flat, parts), {}, {}};
  parts.bindings.push_back({c.scale.value_or(c.input), Access::read});
  for (const ConvChoice& candidate : candidates)
    offer.tactics.push_back(tactic_of(candidate));
  offer.dispatch = [&](size_t i) {
    return candidates[i].family == ConvFamily::direct
               ? direct_dispatch(flat, candidates[i].pixels, parts)
               : tiled_dispatch(b, flat, candidates[i], parts);
  };
  b.dispatch(offer);
}

Support convolution_fits(const Caps& caps, std::string_view op, int64_t rows, int64_t width,
                         int64_t out_channels) {
  if ((out_channels + 7) / 8 > caps.max_workgroups[1])
    return Support::no(fmt::format("{}: {} output channels (the GPU kernel takes {})", op,
                                   out_channels, int64_t{caps.max_workgroups[1]} * 8));
  int64_t tiles = width == 1 ? rows : rows * ((width + kLeastPixels - 1) / kLeastPixels);
  if (tiles > int64_t{caps.max_workgroups[0]} * kLocalSize)
    return Support::no(fmt::format("{}: {} x {} output pixels are more than the GPU kernel takes",
                                   op, rows, width));
  return Support::yes();
}

}  // namespace vultus::gpu
