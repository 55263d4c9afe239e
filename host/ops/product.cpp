#include "host/ops/product.hpp"

#include <algorithm>
#include <vector>

#include "host/core/parallel.hpp"

namespace vultus {

void product(const Matrix& a, const Matrix& b, float* out, int64_t m, int64_t n, int64_t k,
             double scale) {
  parallel_for(m, n * k, [&](int64_t begin, int64_t end) {
    std::vector<double> sum(static_cast<size_t>(n));
    for (int64_t r = begin; r < end; ++r) {
      std::fill(sum.begin(), sum.end(), 0.0);
      for (int64_t i = 0; i < k; ++i) {
        const double factor = static_cast<double>(a.data[r * a.row + i * a.column]);
        const float* line = b.data + i * b.row;
        for (int64_t c = 0; c < n; ++c)
          sum[static_cast<size_t>(c)] += factor * static_cast<double>(line[c * b.column]);
      }
      std::transform(sum.begin(), sum.end(), out + r * n,
                     [scale](double v) { return static_cast<float>(scale * v); });
    }
  });
}

}  // namespace vultus
