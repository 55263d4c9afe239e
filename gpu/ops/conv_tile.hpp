#pragma once

#include "gpu/ops/conv_choice.hpp"
#include "gpu/ops/convolution.hpp"

namespace vultus::gpu {

/// What the rules choose from.
ConvProblem problem_of(const Builder& b, const Convolution& c);

/// Adds the dispatch of shaders/conv_tile.comp or conv_coop.comp; `choice` is of one of these
/// families and `c` has one convolution group. `parts` binds weights in the order of pack_weights.
void add_tiled_convolution(Builder& b, const Convolution& c, const ConvChoice& choice,
                           EpilogueParts parts);

}  // namespace vultus::gpu
