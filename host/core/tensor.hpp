#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>

#include "host/core/shape.hpp"

namespace vultus {

enum class DType : uint8_t { f32, f16, f64, i32, i64, u8, i8, boolean };

size_t size_of(DType dtype);
std::string_view name_of(DType dtype);

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return DType::f32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::f64;
  else if constexpr (std::is_same_v<T, int32_t>)
    return DType::i32;
  else if constexpr (std::is_same_v<T, int64_t>)
    return DType::i64;
  else if constexpr (std::is_same_v<T, uint8_t>)
    return DType::u8;
  else if constexpr (std::is_same_v<T, int8_t>)
    return DType::i8;
  else {
    static_assert(std::is_same_v<T, bool>);
    return DType::boolean;
  }
}

/// Row-major elements owned by someone else.
struct TensorView {
  DType dtype = DType::f32;
  Shape shape;
  std::byte* bytes = nullptr;

  template <class T>
  std::span<T> as() const {
    assert(dtype_of<std::remove_const_t<T>>() == dtype);
    return {reinterpret_cast<T*>(bytes), static_cast<size_t>(shape.elements())};
  }
  size_t size_bytes() const { return static_cast<size_t>(shape.elements()) * size_of(dtype); }
};

/// Row-major elements in host memory, 64-byte aligned, owned. Move-only; `clone` copies.
class Tensor {
 public:
  Tensor() = default;
  /// Elements are zero.
  Tensor(DType dtype, const Shape& shape);
  /// Elements are whatever the memory held: for those who write them all.
  static Tensor uninitialised(DType dtype, const Shape& shape);
  /// Says what elements there were, and holds none: `bytes()` is null.
  static Tensor emptied(DType dtype, const Shape& shape);
  template <class T>
  static Tensor of(const Shape& shape, std::span<const T> values) {
    Tensor t(dtype_of<T>(), shape);
    assert(values.size() == static_cast<size_t>(shape.elements()));
    std::copy(values.begin(), values.end(), t.as<T>().begin());
    return t;
  }
  template <class T>
  static Tensor of(const Shape& shape, std::initializer_list<T> values) {
    return of<T>(shape, std::span<const T>(values.begin(), values.size()));
  }

  DType dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  size_t size_bytes() const { return static_cast<size_t>(shape_.elements()) * size_of(dtype_); }
  std::byte* bytes() { return bytes_.get(); }
  const std::byte* bytes() const { return bytes_.get(); }
  template <class T>
  std::span<T> as() {
    return view().as<T>();
  }
  template <class T>
  std::span<const T> as() const {
    return view().as<const T>();
  }
  /// The view of a const tensor must not be written through.
  TensorView view() const { return {dtype_, shape_, bytes_.get()}; }
  Tensor clone() const;
  /// Same elements under another shape of the same number of elements.
  void reshape(const Shape& shape) {
    assert(shape.elements() == shape_.elements());
    shape_ = shape;
  }
  /// Drops rows at the end of axis 0 (results whose length is known only after running, such as
  /// NMS).
  void truncate(int64_t rows) {
    assert(rows <= shape_[0]);
    shape_[0] = rows;
  }
  /// The shape before rows were dropped; the elements of those rows are unspecified.
  void restore_rows(int64_t rows) {
    shape_[0] = rows;
    assert(size_bytes() <= capacity_);
  }

 private:
  struct Free {
    std::align_val_t alignment;
    Free() : alignment(std::align_val_t{64}) {}
    explicit Free(std::align_val_t a) : alignment(a) {}
    void operator()(std::byte* p) const;
  };
  DType dtype_ = DType::f32;
  Shape shape_{0};
  size_t capacity_ = 0;  ///< bytes allocated
  std::unique_ptr<std::byte[], Free> bytes_;
};

}  // namespace vultus
