#include "host/ops/product.hpp"

#include <algorithm>
#include <array>

#include "host/core/parallel.hpp"

namespace vultus {

namespace {
constexpr int64_t kTile = 256;  ///< columns whose sums stay in the first cache level
}  // namespace

void product(const Matrix& a, const Matrix& b, float* out, int64_t m, int64_t n, int64_t k,
             double scale) {
  parallel_for(m, n * k, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      for (int64_t first = 0; first < n; first += kTile) {
        std::array<double, kTile> sum{};
        const int64_t count = std::min(kTile, n - first);
        for (int64_t i = 0; i < k; ++i) {
          const double factor = static_cast<double>(a.data[r * a.row + i * a.column]);
          const float* line = b.data + i * b.row + first * b.column;
          for (int64_t c = 0; c < count; ++c)
            sum[static_cast<size_t>(c)] += factor * static_cast<double>(line[c * b.column]);
        }
        std::transform(sum.begin(), sum.begin() + count, out + r * n + first,
                       [scale](double v) { return static_cast<float>(scale * v); });
      }
  });
}

}  // namespace vultus
