#pragma once

#include "gpu/builder.hpp"

namespace vultus::gpu {

/// Reasons why kernels over pixels refuse a node: not rank 4, not float, empty.
Support image_operands(const Graph& graph, const Node& node);

/// Floats of a constant; empty when the value is absent.
std::span<const float> constant_floats(const Graph& graph, ValueId value);
/// Per-channel floats padded with zeros to whole groups of 8, as kernels read them.
std::vector<float> per_channel(std::span<const float> values, uint32_t channels);

}  // namespace vultus::gpu
