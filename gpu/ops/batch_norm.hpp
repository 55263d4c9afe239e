#pragma once

#include "gpu/builder.hpp"
#include "host/graph/activation.hpp"

namespace vultus::gpu {

/// Push constants of shaders/batch_norm.comp, which instance normalisation ends with too.
struct BatchNormPush {
  uint32_t threads, channels, inner, per_image;
  float alpha, beta;
};

}  // namespace vultus::gpu
