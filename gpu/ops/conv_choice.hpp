#pragma once

#include <array>
#include <vector>

#include "gpu/builder.hpp"

namespace vultus::gpu {

/// What one workgroup of shaders/conv_tile.comp or conv_coop.comp computes, biggest first.
struct ConvTile {
  uint32_t pixels, groups;    ///< outputs x groups of 8 output channels
  uint32_t per_thread;        ///< pixels per thread of conv_tile
  uint32_t along_m, along_n;  ///< matrices per subgroup of conv_coop
};
inline constexpr std::array<ConvTile, 7> kConvTiles{{{128, 8, 8, 4, 2},
                                                     {64, 8, 4, 2, 2},
                                                     {64, 4, 4, 2, 2},
                                                     {32, 4, 2, 1, 2},
                                                     {64, 2, 2, 2, 1},
                                                     {16, 4, 1, 1, 2},
                                                     {16, 2, 1, 1, 1}}};

/// The sizes that the choice depends on. A matrix product has one tap.
struct ConvProblem {
  uint64_t pixels = 0;  ///< outputs of all images
  uint32_t width = 1;   ///< of them in a row
  uint32_t in_channels = 1, out_channels = 1, taps = 1;
  uint32_t groups = 1;
  bool stem = false;  ///< shaders/conv_stem.comp computes it
  bool fp16 = true;

  uint32_t out_groups() const { return (out_channels + 7) / 8; }
  uint32_t k_groups() const { return taps * ((in_channels + 7) / 8); }
  bool depthwise() const { return groups > 1 && groups == in_channels && groups == out_channels; }
};

struct ConvChoice {
  ConvFamily family = ConvFamily::direct;
  uint32_t pixels = 0;  ///< per thread; of direct
  // Of tile and coop:
  ConvTile tile = kConvTiles.back();
  uint32_t split = 1;    ///< teams of a workgroup that share K
  uint32_t step = 4;     ///< groups of 8 inputs per step
  uint32_t threads = 0;  ///< of a workgroup
};
ConvTactic tactic_of(const ConvChoice& choice);

/// Workgroup memory that a choice needs.
uint64_t shared_bytes(const ConvChoice& choice, bool fp16, uint32_t subgroup_size);

/// The biggest tile that gives every core two workgroups, else the smallest with K split among more
/// and more threads; direct on devices where staging does not pay. What is forced in `caps` wins
/// where it can compute the problem and the device has room for it. Pure.
ConvChoice choose_convolution(const ConvProblem& problem, const Caps& caps);

/// What is worth timing, at most 8: the rule's choice, then its neighbours among tiles, splits and
/// pixels per thread, then the best guess of other families. The device has room for each, and all
/// read the same weights. One where nothing can be chosen: stems, depthwise ones, what is forced.
std::vector<ConvChoice> convolution_candidates(const ConvProblem& problem, const Caps& caps);

}  // namespace vultus::gpu
