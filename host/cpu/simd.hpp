#pragma once

#include <cstdint>

/// Compiles a function for AVX-512, AVX2 and the baseline; the loader picks one.
#define VULTUS_SIMD [[gnu::target_clones("avx512f", "avx2", "default")]]
/// For the pieces of such a function: they take the instruction set of their caller.
#define VULTUS_INLINE [[gnu::always_inline]] inline

// Vectors are passed only between functions that are inlined: there is no ABI to change.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace vultus::cpu {

/// Sixteen floats: a register of AVX-512, several of a narrower set.
using Vec = float __attribute__((vector_size(64)));
/// The same anywhere in memory.
using VecAt = float __attribute__((vector_size(64), aligned(4), may_alias));
using IntVec = int32_t __attribute__((vector_size(64)));
constexpr int64_t kLanes = 16;

VULTUS_INLINE Vec load(const float* at) {
  return *reinterpret_cast<const VecAt*>(at);
}

VULTUS_INLINE void store(float* at, Vec v) {
  *reinterpret_cast<VecAt*>(at) = v;
}

}  // namespace vultus::cpu
