#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vultus::gpu {

/// How a convolution is computed; shaders/conv*.comp.
enum class ConvFamily : uint8_t {
  automatic,  ///< what suits the device and the shape
  direct,     ///< sums in registers, inputs from global memory: any convolution
  tile,       ///< implicit GEMM through shared memory; no convolution groups
  coop,       ///< the same on cooperative matrices; fp16 storage
  depthwise,  ///< one input channel per output channel
  stem,       ///< at most 4 input channels
};
std::string_view name_of(ConvFamily family);
/// "auto", "direct", "tile" or "coop", as command lines spell it.
std::optional<ConvFamily> parse_conv_family(std::string_view text);

/// What is wanted instead of the rules. A family is used wherever it can compute the convolution:
/// convolution groups and depthwise ones keep their kernels.
struct ConvForce {
  ConvFamily family = ConvFamily::automatic;
  int tile = -1;       ///< index into kConvTiles (gpu/ops/conv_choice.hpp); -1: by the rules
  uint32_t split = 0;  ///< teams that share K, a power of two; 0: by the rules
  bool operator==(const ConvForce&) const = default;
};

/// One of the ways to compute a convolution, as it is kept between runs.
struct ConvTactic {
  ConvFamily family = ConvFamily::direct;
  uint32_t pixels = 0;  ///< per thread; of direct
  uint32_t tile = 0;    ///< index into kConvTiles; of tile and coop
  uint32_t split = 1;   ///< teams that share K; of tile and coop
  bool operator==(const ConvTactic&) const = default;
};

}  // namespace vultus::gpu
