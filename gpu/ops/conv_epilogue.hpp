#pragma once

#include <optional>

#include "gpu/builder.hpp"
#include "host/graph/fused.hpp"

namespace vultus::gpu {

/// What shaders/common/conv_epilogue.glsl does with the sums of a convolution of [batch, channels,
/// map_h, map_w]. All tensors lie in nhwc8.
struct ConvEpilogue {
  struct Addend {
    BufferId buffer = -1;
    AddendFit fit{};
    bool last = false;
  };
  struct Second {
    BufferId buffer = -1;
    SecondOutput affine;
  };

  std::span<const float> bias{};       ///< per channel; may be empty
  std::optional<BufferId> residual{};  ///< as the output lies; added before the activation
  std::optional<Addend> addend{};
  Epilogue activation{};
  BufferId output = -1;  ///< -1: only the second is wanted
  Place place{};         ///< of the output in its buffer
  std::optional<Second> second{};
};

/// First member of the push block of a convolution kernel.
struct EpiloguePush {
  uint32_t channels;
  float alpha, beta, second_alpha, second_beta;
  uint32_t map_h, map_w, place_groups, place_first;
};

/// Scales, then shifts of a second output, each padded to whole groups of channels.
std::vector<float> second_numbers(const SecondOutput& second, uint32_t channels);

/// The part of a dispatch that belongs to the epilogue: specialisation constants 0 to 4 and
/// bindings 0 to 6. A kernel appends its own.
struct EpilogueParts {
  std::vector<uint32_t> spec;
  EpiloguePush push;
  std::vector<Binding> bindings;
};
EpilogueParts epilogue_parts(Builder& b, const ConvEpilogue& epilogue, BufferId input,
                             BufferId weights, uint32_t channels, uint32_t map_h, uint32_t map_w);

/// The epilogue of a Conv node; asks for its inputs and declares its outputs.
ConvEpilogue conv_epilogue_of(Builder& b, const Node& node);
/// Whether a Conv node's epilogue has a form that kernels take.
Support epilogue_fits(const Graph& graph, const Node& node);

}  // namespace vultus::gpu
