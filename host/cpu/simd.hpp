#pragma once

/// Compiles a function for AVX-512, AVX2 and the baseline; the loader picks one.
#define VULTUS_SIMD [[gnu::target_clones("avx512f", "avx2", "default")]]
