#include "host/cpu/probe.hpp"

#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <dnnl.hpp>
#include <limits>

#include "host/core/tensor.hpp"
#include "host/cpu/threads.hpp"

namespace vultus::cpu {

namespace {

/// Milliseconds of the shortest of a few tries; the first, which touches memory, does not count.
template <class Work>
double shortest_ms(const Work& work) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 6; ++i) {
    auto start = std::chrono::steady_clock::now();
    work();
    std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    if (i > 0) best = std::min(best, took.count());
  }
  return best;
}

}  // namespace

Result<DeviceSpeed> probe(int threads) {
  ThreadScope scope(threads);
  DeviceSpeed speed;
  {
    // Per thread, beyond the share of the last-level cache that it may have.
    constexpr int64_t kPiece = 64 << 20;
    Tensor from(DType::u8, {kPiece * threads}), to(DType::u8, {kPiece * threads});
    double ms = shortest_ms([&] {
#pragma omp parallel for schedule(static) num_threads(threads)
      for (int i = 0; i < threads; ++i)
        std::memcpy(to.bytes() + i * kPiece, from.bytes() + i * kPiece, kPiece);
    });
    speed.copy_gb_per_s = 2e-6 * static_cast<double>(kPiece * threads) / ms;
  }
  constexpr int64_t n = 1536;
  Tensor a(DType::f32, {n, n}), b(DType::f32, {n, n}), c(DType::f32, {n, n});
  std::ranges::fill(a.as<float>(), 0.5f);
  std::ranges::fill(b.as<float>(), 0.25f);
  bool fine = true;
  double ms = shortest_ms([&] {
    fine = fine && dnnl_sgemm('N', 'N', n, n, n, 1, a.as<float>().data(), n, b.as<float>().data(),
                              n, 0, c.as<float>().data(), n) == dnnl_success;
  });
  if (!fine) return Error{Errc::internal, "oneDNN refused a matrix product"};
  speed.gflops = 2e-6 * n * n * n / ms;
  return speed;
}

}  // namespace vultus::cpu
