#pragma once

#include <algorithm>

#include "gpu/builder.hpp"

namespace vultus::gpu {

/// Where an operator of `exact_results` writes: float32, row-major.
inline TensorRef exact_output(Builder& b, ValueId value) {
  const auto exact = b.host_output(value);
  return exact ? *exact : b.output(value, Layout::linear);
}

}  // namespace vultus::gpu
