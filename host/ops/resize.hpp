#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// Resize and Upsample with the defaults of the node's opset filled in.
struct ResizeMode {
  std::string mode;         ///< nearest, linear, cubic
  std::string coordinates;  ///< half_pixel, half_pixel_symmetric, pytorch_half_pixel,
                            ///< align_corners, asymmetric, tf_half_pixel_for_nn,
                            ///< tf_crop_and_resize
  std::string nearest;      ///< round_prefer_floor, round_prefer_ceil, floor, ceil, or simple
                            ///< (opset 10: floor when enlarging, ceil when shrinking)
  std::string aspect;       ///< stretch, not_larger, not_smaller
  float cubic_a = -0.75f;
  bool exclude_outside = false;
  bool antialias = false;
  float extrapolation = 0;  ///< the value of tf_crop_and_resize outside the input
};
/// Refuses what is not supported, naming the node.
Result<ResizeMode> resize_mode(const Node& node);

/// The constant inputs as the node has them; empty: absent.
struct ResizeInputs {
  std::vector<float> scales;
  std::vector<int64_t> sizes;
  std::vector<float> crop;  ///< begin of every axis, then end of every axis, as fractions
};
/// `input(i)` is the node's constant input i, without bytes when it is absent.
Result<ResizeInputs> resize_inputs(const Node& node,
                                   const std::function<TensorView(size_t)>& input);
Result<ResizeInputs> resize_inputs(const Graph& graph, const Node& node);

/// One axis of the input and what becomes of it.
struct ResizeAxis {
  int64_t in = 1, out = 1;
  float scale = 1;                     ///< output over input, which rounding `out` would lose
  float crop_begin = 0, crop_end = 1;  ///< tf_crop_and_resize

  bool is_identity() const { return in == out && scale == 1 && crop_begin == 0 && crop_end == 1; }
};
/// All axes of an input of shape `x`.
Result<std::vector<ResizeAxis>> resize_axes(const Node& node, const Shape& x,
                                            const ResizeInputs& inputs);
Shape resized_shape(const std::vector<ResizeAxis>& axes);

/// Input positions and weights of every output position of one axis: `count` of each per output.
/// Position -1: the output is ResizeMode::extrapolation.
struct ResizeTaps {
  int64_t count = 1;
  std::vector<int64_t> index;
  std::vector<float> weight;
};
ResizeTaps resize_taps(const ResizeMode& mode, const ResizeAxis& axis);

}  // namespace vultus
