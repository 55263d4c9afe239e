#pragma once

#include <array>
#include <cstdint>

#include "host/core/parallel.hpp"
#include "host/core/tensor.hpp"

namespace vultus {

/// A number for each axis of a walk, in place: operators walk over at most two axes for each of a
/// tensor's.
class WalkAxes {
 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  int64_t operator[](size_t i) const { return numbers_[i]; }
  int64_t& operator[](size_t i) { return numbers_[i]; }
  int64_t back() const { return numbers_[size_ - 1]; }
  int64_t& back() { return numbers_[size_ - 1]; }
  const int64_t* begin() const { return numbers_.data(); }
  const int64_t* end() const { return numbers_.data() + size_; }
  void push_back(int64_t number) {
    assert(size_ < numbers_.size());
    numbers_[size_++] = number;
  }

 private:
  std::array<int64_t, 2 * kMaxRank> numbers_{};
  size_t size_ = 0;
};

/// N arrays walked together over the same dims, each with its own strides (in elements, any sign,
/// zero to repeat).
template <size_t N>
struct Walk {
  WalkAxes dims;
  std::array<WalkAxes, N> strides;

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
    std::array<int64_t, 2 * kMaxRank> index{};
    std::array<int64_t, N> at{};
    int64_t rest = begin;
    for (size_t d = rank; d-- > 0;) {
      index[d] = rest % walk.dims[d];
      rest /= walk.dims[d];
      for (size_t k = 0; k < N; ++k)
        at[k] += index[d] * walk.strides[k][d];
    }
    while (begin < end) {
      int64_t n = std::min(inner - index[rank - 1], end - begin);
      run(at, step, n);
      begin += n;
      for (size_t k = 0; k < N; ++k)
        at[k] += n * step[k];
      index[rank - 1] += n;
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
Shape broadcast_strides(const Shape& shape, const Shape& out);

/// Walk over `out` (array N) and inputs 0..N-1 broadcast to it.
template <size_t N>
Walk<N + 1> broadcast_walk(const std::array<Shape, N>& in, const Shape& out) {
  std::array<Shape, N> strides;
  for (size_t k = 0; k < N; ++k)
    strides[k] = broadcast_strides(in[k], out);
  Shape own = out.strides();
  Walk<N + 1> walk;
  for (int d = 0; d < out.rank(); ++d) {
    std::array<int64_t, N + 1> s{};
    for (size_t k = 0; k < N; ++k)
      s[k] = strides[k][d];
    s[N] = own[d];
    walk.add(out[d], s);
  }
  return walk;
}

/// Copies elements of `element_bytes` (1, 2, 4 or 8): array 0 of the walk is read, array 1 written.
void copy_strided(const std::byte* from, std::byte* to, const Walk<2>& walk, size_t element_bytes);

/// out = a op b under broadcasting; A and B are the operands' types, U the result's.
template <class A, class B, class U, class F>
void apply_mixed(const TensorView& a, const TensorView& b, const TensorView& out, F f) {
  const A* pa = reinterpret_cast<const A*>(a.bytes);
  const B* pb = reinterpret_cast<const B*>(b.bytes);
  U* po = reinterpret_cast<U*>(out.bytes);
  for_runs(broadcast_walk<2>({a.shape, b.shape}, out.shape),
           [=](const auto& at, const auto& step, int64_t n) {
             const A* x = pa + at[0];
             const B* y = pb + at[1];
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

/// The same for operands of one type T.
template <class T, class U, class F>
void apply_broadcast(const TensorView& a, const TensorView& b, const TensorView& out, F f) {
  apply_mixed<T, T, U>(a, b, out, f);
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
