#pragma once

#include "host/core/tensor.hpp"

namespace vultus::cpu {

/// Weights of a matrix or 1x1 convolution as `pointwise_tile` reads them: panels of 32 outputs (the
/// last may be 16) [panel][depth][outputs of the panel]. `by_output` and `by_input` are the strides
/// of the source in elements; every weight is multiplied by `factor`.
Tensor panels_of(const Tensor& weights, int64_t outputs, int64_t depth, int64_t by_output,
                 int64_t by_input, float factor = 1);

}  // namespace vultus::cpu
