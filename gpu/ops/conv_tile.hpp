#pragma once

#include "gpu/ops/convolution.hpp"

namespace vultus::gpu {

/// Of shaders/conv_tile.comp or conv_coop.comp; `choice` is of one of these families and `c` has
/// one convolution group. `parts` binds weights in the order of pack_weights, and the scale.
Dispatch tiled_dispatch(const Builder& b, const Convolution& c, const ConvChoice& choice,
                        EpilogueParts parts);

}  // namespace vultus::gpu
