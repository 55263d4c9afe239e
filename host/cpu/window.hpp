#pragma once

#include <dnnl.hpp>

#include "host/graph/graph.hpp"

namespace vultus::cpu {

/// The sliding window of a convolution or pool in oneDNN's terms, one number per spatial axis.
struct Window {
  dnnl::memory::dims kernel, strides;
  dnnl::memory::dims dilations;   ///< 0 is dense
  dnnl::memory::dims begin, end;  ///< padding; `end` is what the output's size implies
};

/// Reads strides, dilations, pads and auto_pad. `kernel` and the shapes as ONNX has them.
Window window_of(const Node& node, const dnnl::memory::dims& kernel, const Shape& in,
                 const Shape& out);
/// The same for a ConvTranspose that shape inference has accepted; output_shape and output_padding
/// as well. `end` may be negative.
Window transposed_window_of(const Node& node, const Shape& in, const Shape& weights);

}  // namespace vultus::cpu
