#pragma once

#include <cstdint>

namespace vultus {

/// A matrix in memory; strides in elements, so that a transposed matrix is one too.
struct Matrix {
  const float* data = nullptr;
  int64_t row = 0;
  int64_t column = 1;
};

/// out[m, n] = scale * sum over k of a[m, k] * b[k, n], row-major, accumulated in double.
void product(const Matrix& a, const Matrix& b, float* out, int64_t m, int64_t n, int64_t k,
             double scale = 1);

}  // namespace vultus
