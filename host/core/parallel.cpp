#include "host/core/parallel.hpp"

#include <omp.h>

#include <algorithm>

namespace vultus {

namespace {
// Below this a team of threads costs more than it saves.
constexpr int64_t kWorthwhile = 100'000;
}  // namespace

void run_pieces(int64_t n, int64_t cost, const void* body,
                void (*call)(const void*, int64_t, int64_t)) {
  if (n <= 0) return;
  int64_t pieces = std::min<int64_t>(n, omp_get_max_threads());
  if (pieces <= 1 || n < kWorthwhile / std::max<int64_t>(cost, 1)) {
    call(body, 0, n);
    return;
  }
#pragma omp parallel for schedule(static) num_threads(static_cast <int>(pieces))
  for (int64_t i = 0; i < pieces; ++i)
    call(body, n / pieces * i + std::min(i, n % pieces),
         n / pieces * (i + 1) + std::min(i + 1, n % pieces));
}

}  // namespace vultus
