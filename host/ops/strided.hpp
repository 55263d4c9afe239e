#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "host/core/parallel.hpp"
#include "host/core/tensor.hpp"

namespace vultus {

/// N arrays walked together over the same dims, each with its own strides (in elements, any sign,
/// zero to repeat).
template <size_t N>
struct Walk {
  std::vector<int64_t> dims;
  std::array<std::vector<int64_t>, N> strides;

  void add(int64_t dim, const std::array<int64_t, N>& stride) {
    if (dim == 1) return;
    bool mergeable = !dims.empty();
    for (size_t k = 0; k < N && mergeable; ++k)
      mergeable = strides[k].back() == stride[k] * dim;
    if (mergeable) {
      dims.back() *= dim;
      for (size_t k = 0; k < N; ++k)
        strides[k].back() = stride[k];
      return;
    }
    dims.push_back(dim);
    for (size_t k = 0; k < N; ++k)
      strides[k].push_back(stride[k]);
  }
  int64_t elements() const {
    int64_t n = 1;
    for (int64_t d : dims)
      n *= d;
    return n;
  }
};

/// Calls run(at, step, n) for stretches of n elements: array k has them at at[k], at[k] + step[k],
/// ... Stretches are disjoint and may run on several threads.
template <size_t N, class Run>
void for_runs(const Walk<N>& walk, const Run& run) {
  const size_t rank = walk.dims.size();
  std::array<int64_t, N> step{};
  if (rank == 0) {
    run(std::array<int64_t, N>{}, step, int64_t{1});
    return;
  }
  for (size_t k = 0; k < N; ++k)
    step[k] = walk.strides[k].back();
  const int64_t inner = walk.dims.back();
  parallel_for(walk.elements(), 1, [&](int64_t begin, int64_t end) {
    std::vector<int64_t> index(rank);
    std::array<int64_t, N> at{};
    int64_t rest = begin;
    for (size_t d = rank; d-- > 0;) {
      index[d] = rest % walk.dims[d];
      rest /= walk.dims[d];
      for (size_t k = 0; k < N; ++k)
        at[k] += index[d] * walk.strides[k][d];
    }
    while (begin < end) {
      int64_t n = std::min(inner - index.back(), end - begin);
      run(at, step, n);
      begin += n;
      for (size_t k = 0; k < N; ++k)
        at[k] += n * step[k];
      index.back() += n;
      for (size_t d = rank - 1; d > 0 && index[d] == walk.dims[d]; --d) {
        for (size_t k = 0; k < N; ++k)
          at[k] += walk.strides[k][d - 1] - walk.dims[d] * walk.strides[k][d];
        index[d] = 0;
        ++index[d - 1];
      }
    }
  });
}

/// Strides of `shape` within `out` under ONNX broadcasting: 0 along repeated axes.
std::vector<int64_t> broadcast_strides(const Shape& shape, const Shape& out);

/// Walk over `out` (array N) and inputs 0..N-1 broadcast to it.
template <size_t N>
Walk<N + 1> broadcast_walk(const std::array<Shape, N>& in, const Shape& out) {
  std::array<std::vector<int64_t>, N> strides;
  for (size_t k = 0; k < N; ++k)
    strides[k] = broadcast_strides(in[k], out);
  Shape own = out.strides();
  Walk<N + 1> walk;
  for (int d = 0; d < out.rank(); ++d) {
    std::array<int64_t, N + 1> s{};
    for (size_t k = 0; k < N; ++k)
      s[k] = strides[k][static_cast<size_t>(d)];
    s[N] = own[d];
    walk.add(out[d], s);
  }
  return walk;
}

/// Copies elements of `element_bytes` (1, 2, 4 or 8): array 0 of the walk is read, array 1 written.
void copy_strided(const std::byte* from, std::byte* to, const Walk<2>& walk, size_t element_bytes);

/// out = a op b under broadcasting; T reads, U writes.
template <class T, class U, class F>
void apply_broadcast(const TensorView& a, const TensorView& b, const TensorView& out, F f) {
  const T* pa = reinterpret_cast<const T*>(a.bytes);
  const T* pb = reinterpret_cast<const T*>(b.bytes);
  U* po = reinterpret_cast<U*>(out.bytes);
  for_runs(broadcast_walk<2>({a.shape, b.shape}, out.shape),
           [=](const auto& at, const auto& step, int64_t n) {
             const T* x = pa + at[0];
             const T* y = pb + at[1];
             U* z = po + at[2];
             if (step[0] == 1 && step[1] == 1) {
               for (int64_t i = 0; i < n; ++i)
                 z[i] = f(x[i], y[i]);
             } else if (step[1] == 0 && step[0] == 1) {
               for (int64_t i = 0; i < n; ++i)
                 z[i] = f(x[i], *y);
             } else if (step[0] == 0 && step[1] == 1) {
               for (int64_t i = 0; i < n; ++i)
                 z[i] = f(*x, y[i]);
             } else {
               for (int64_t i = 0; i < n; ++i)
                 z[i * step[2]] = f(x[i * step[0]], y[i * step[1]]);
             }
           });
}

/// out = f(x), element by element, same shapes.
template <class T, class U, class F>
void apply_unary(const TensorView& x, const TensorView& out, F f) {
  const T* from = reinterpret_cast<const T*>(x.bytes);
  U* to = reinterpret_cast<U*>(out.bytes);
  parallel_for(out.shape.elements(), 4, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      to[i] = f(from[i]);
  });
}

/// Calls f.template operator()<T>() for the arithmetic type: float, double, int32_t or int64_t.
template <class F>
auto visit_number(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f64:
      return f.template operator()<double>();
    case DType::i32:
      return f.template operator()<int32_t>();
    case DType::i64:
      return f.template operator()<int64_t>();
    default:
      assert(dtype == DType::f32);
      return f.template operator()<float>();
  }
}

}  // namespace vultus
