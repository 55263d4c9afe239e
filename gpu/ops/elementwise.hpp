#pragma once

#include <string>
#include <vector>

#include "gpu/builder.hpp"
#include "gpu/ops/strided.hpp"

namespace vultus::gpu {

/// A broadcasting kernel of two or three operands (shaders/common/elementwise.glsl). `spec` are its
/// own specialisation constants; the first, whether a thread takes 8 elements, is put before them.
struct Elementwise {
  std::string kernel;
  std::vector<uint32_t> spec;
  float alpha = 0;
  float beta = 0;
};
/// Chooses the layout, broadcasts the inputs to the first output and dispatches. One dispatch,
/// besides relayouts.
void elementwise(Builder& b, const Node& node, const Elementwise& what);

/// Strides per axis of the result in elements of the operand's buffer; 0 where the operand repeats.
std::vector<int64_t> broadcast_strides(const TensorRef& t, const Shape& result);
/// Whether an operand repeats along the channels of the result.
bool splat_channels(const Shape& shape, const Shape& result);
/// Whether results of that shape are better made in groups of channels: an operand lies so already,
/// and none would have to be spread.
bool choose_nhwc8(Builder& b, const Value& result, const std::vector<ValueId>& operands);
/// Divides the last level by 8 where each of the first `operands` either runs on or repeats along
/// it (its bit of `splats` is set then); false, and nothing changed, when one does neither.
bool widen(Levels& levels, size_t operands, uint32_t& splats);

/// Whether operands and result can be walked with the levels a kernel has.
Support broadcasts(const Graph& graph, const Node& node);

}  // namespace vultus::gpu
