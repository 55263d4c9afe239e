#pragma once

#include <cstdint>

#include "host/graph/activation.hpp"

namespace vultus::cpu {

/// A 1x1 convolution and the depthwise one that alone reads it, in one pass: 32 channels at a time
/// go from one to the other through a buffer that stays in the core's cache. NHWC on both sides;
/// `channels`, those in between and after, fill blocks of 16. The depthwise kernel is square, 3 or
/// 5, with stride 1 or 2.
struct Separable {
  int64_t batch, depth, channels;
  int64_t in_height, in_width, out_height, out_width;
  int64_t kernel, stride, pad_top, pad_left;
  Activation first_activation, activation;
  float first_slope, slope;
  int64_t strip = 0;  ///< output rows of one task; `plan` sets it

  /// Chooses the strip for a team of that many threads.
  void plan(int64_t threads);
  /// Floats of buffer that a thread needs.
  int64_t buffer_floats() const;
  /// `first_weights` in panels of 32 output channels (the last may be 16): [panel][depth][channels
  /// of the panel]; `weights` [channels / 16][kernel * kernel][16]; biases [channels]; `buffers`
  /// for every thread one. Runs on the OpenMP team.
  void run(const float* in, const float* first_weights, const float* first_bias,
           const float* weights, const float* bias, float* buffers, float* out) const;
};

}  // namespace vultus::cpu
