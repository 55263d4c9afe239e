#pragma once

#include <functional>
#include <optional>

#include "gpu/ops/conv_choice.hpp"
#include "gpu/ops/conv_epilogue.hpp"
#include "gpu/ops/image.hpp"
#include "host/ops/window.hpp"

namespace vultus::gpu {

/// One run of shaders/conv.comp: a convolution, or a matrix product with constant weights, whose
/// rows are then pixels. Input and output lie as N, H, W and groups of 8 channels.
struct Convolution {
  BufferId input = -1;
  uint32_t batch = 1, in_h = 1, in_w = 1, in_channels = 1, out_h = 1, out_w = 1, out_channels = 1;
  Window window{};
  uint32_t groups = 1;
  std::optional<BufferId> scale{};  ///< [batch][group of 8 inputs]; multiplies the input
  ConvEpilogue epilogue{};          ///< with the output

  uint32_t ins_per_group() const { return in_channels / groups; }
  uint32_t outs_per_group() const { return out_channels / groups; }
  bool pointwise() const { return window.is_point(); }
  uint32_t in_groups() const { return (in_channels + 7) / 8; }
  uint32_t out_groups() const { return (out_channels + 7) / 8; }
};

/// The sizes that the choice of a kernel depends on.
ConvProblem problem_of(const Builder& b, const Convolution& c);

/// The window as kernels take it in their push constants.
struct WindowPush {
  uint32_t kernel_h, kernel_w, stride_h, stride_w, pad_top, pad_left, dilation_h, dilation_w;
};
WindowPush push_of(const Window& window);

/// The weight that output channel `out` gives to the `in`-th channel of its convolution group at
/// (ky, kx).
using WeightAt = std::function<float(size_t out, size_t in, size_t ky, size_t kx)>;

/// Groups of 8 inputs that one group of 8 outputs reads, and the first of them. Convolution groups
/// that do not fill groups of 8 are read through zero weights.
uint32_t input_span(const Convolution& c);
uint32_t first_input_group(const Convolution& c, uint32_t out_group);

/// [group of 8 outputs][ky][kx][group of 8 inputs][8 inputs][8 outputs], zero where there is none.
std::vector<float> pack_weights(const Convolution& c, const WeightAt& at);

/// The epilogue's part of a dispatch; its spec, push and bindings come first.
EpilogueParts epilogue_parts(Builder& b, const Convolution& c, BufferId weights);

/// Packs the weights and adds the dispatch.
void add_convolution(Builder& b, const Convolution& c, const WeightAt& at);

/// Refuses what add_convolution cannot start: `rows` of `width` output pixels.
Support convolution_fits(const Caps& caps, std::string_view op, int64_t rows, int64_t width,
                         int64_t out_channels);

}  // namespace vultus::gpu
