#pragma once

#include <cstdint>

#include "host/graph/activation.hpp"

namespace vultus::cpu {

/// The first convolution of a network: row-major images of a few channels in, NHWC of 32 channels
/// out.
struct Stem {
  static constexpr int64_t kOutputs = 32;

  int64_t batch, channels;
  int64_t in_height, in_width, out_height, out_width;
  int64_t kernel_height, kernel_width, stride, pad_top, pad_left;
  Activation activation;
  float slope;

  /// `weights` [channels][kernel_height][kernel_width][32], `bias` [32]. Runs on the OpenMP team.
  void run(const float* in, const float* weights, const float* bias, float* out) const;
};

}  // namespace vultus::cpu
