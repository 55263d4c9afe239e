#include "host/cpu/panels.hpp"

#include <algorithm>

#include "host/cpu/simd.hpp"

namespace vultus::cpu {

Tensor panels_of(const Tensor& weights, int64_t outputs, int64_t depth, int64_t by_output,
                 int64_t by_input, float factor) {
  Tensor packed(DType::f32, {outputs * depth});
  const float* from = weights.as<float>().data();
  float* to = packed.as<float>().data();
  for (int64_t first = 0; first < outputs; first += 2 * kLanes)
    for (int64_t k = 0; k < depth; ++k)
      for (int64_t o = first; o < std::min(first + 2 * kLanes, outputs); ++o)
        *to++ = from[o * by_output + k * by_input] * factor;
  return packed;
}

}  // namespace vultus::cpu
