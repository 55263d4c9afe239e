#pragma once

#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// Resize and Upsample with the defaults of the node's opset filled in.
struct ResizeMode {
  std::string mode;         ///< nearest, linear, cubic
  std::string coordinates;  ///< half_pixel, pytorch_half_pixel, align_corners, asymmetric,
                            ///< tf_half_pixel_for_nn
  std::string nearest;      ///< round_prefer_floor, round_prefer_ceil, floor, ceil, or simple
                            ///< (opset 10: floor when enlarging, ceil when shrinking)
  float cubic_a = -0.75f;
  bool exclude_outside = false;
};
/// Refuses what is not supported, naming the node.
Result<ResizeMode> resize_mode(const Node& node);

/// Output sizes and the scale (output over input) per axis.
struct ResizeSizes {
  Shape out;
  std::vector<float> scales;
};
/// `scales` and `sizes` as the node has them (one of them empty), `axes` of opset 18 (empty: all).
Result<ResizeSizes> resize_sizes(const Node& node, const Shape& x, const std::vector<float>& scales,
                                 const std::vector<int64_t>& sizes);

/// Where output position `o` of an axis lies in the input; may be outside of it.
float source_position(const ResizeMode& mode, int64_t o, int64_t in, int64_t out, float scale);

/// Input positions and weights of every output position of one axis: `count` of each per output.
struct ResizeTaps {
  int64_t count = 1;
  std::vector<int64_t> index;
  std::vector<float> weight;
};
ResizeTaps resize_taps(const ResizeMode& mode, int64_t in, int64_t out, float scale);

}  // namespace vultus
