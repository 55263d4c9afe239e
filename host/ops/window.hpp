#pragma once

#include <array>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// A sliding window over H and W (index 0 and 1), its padding resolved (pads or auto_pad).
struct Window {
  std::array<int64_t, 2> kernel{1, 1};
  std::array<int64_t, 2> stride{1, 1};
  std::array<int64_t, 2> dilation{1, 1};
  std::array<int64_t, 2> pad_begin{};
  std::array<int64_t, 2> pad_end{};  ///< as the file says: no window need reach its end
  std::array<int64_t, 2> out{};      ///< size of the output

  /// Rows or columns from the first to the last tap.
  int64_t extent(size_t axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }
  int64_t taps() const { return kernel[0] * kernel[1]; }
  /// Whether every output reads one point of the input and none of the padding, whatever the
  /// stride.
  bool is_point() const {
    constexpr std::array<int64_t, 2> kNone{};
    return taps() == 1 && pad_begin == kNone && pad_end == kNone;
  }
};

/// Window of a Conv with weights of shape [M, C/group, kH, kW]. Errors name the node.
Result<Window> resolve_window(const Node& node, const Shape& x, const Shape& weights);
/// Window of a MaxPool or AveragePool (attribute kernel_shape; ceil_mode).
Result<Window> resolve_window(const Node& node, const Shape& x);
/// Window of a ConvTranspose with weights [C, M/group, kH, kW]: the padding is cut off its output.
Result<Window> resolve_transposed_window(const Node& node, const Shape& x, const Shape& weights);

}  // namespace vultus
