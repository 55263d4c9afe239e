#pragma once

#include <algorithm>

#include "gpu/builder.hpp"

namespace vultus::gpu {

/// Where an operator of `exact_results` writes: float32, row-major. Such a node is not taken in
/// fp16 where others read its results (`GpuOp::exact_results`): else the build fails for want of
/// it.
inline TensorRef exact_output(Builder& b, ValueId value) {
  const auto exact = b.host_output(value);
  if (exact) return *exact;
  return b.precision() == Precision::fp32 ? b.output(value, Layout::linear) : TensorRef{};
}

}  // namespace vultus::gpu
