#pragma once

#include "gpu/ops/convolution.hpp"

namespace vultus::gpu {

/// Whether shaders/conv_stem.comp computes it: at most 4 input channels, a window that fits its
/// registers, no horizontal dilation.
bool is_stem(const Convolution& c);
/// Packs the weights and adds the dispatch.
void add_stem_convolution(Builder& b, const Convolution& c, const WeightAt& at);

}  // namespace vultus::gpu
