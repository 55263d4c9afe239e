#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>

namespace vultus {

/// Highest rank the engine accepts; the importer refuses more.
inline constexpr int kMaxRank = 8;

/// Sizes of a tensor, outermost first. Row-major. A rank-0 shape is a scalar (one element).
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) : Shape(std::span(dims.begin(), dims.size())) {}
  explicit Shape(std::span<const int64_t> dims) : rank_(static_cast<int>(dims.size())) {
    assert(dims.size() <= static_cast<size_t>(kMaxRank));
    for (int i = 0; i < rank_; ++i)
      dims_[static_cast<size_t>(i)] = dims[static_cast<size_t>(i)];
  }

  int rank() const { return rank_; }
  int64_t operator[](int i) const {
    assert(i >= 0 && i < rank_);
    return dims_[static_cast<size_t>(i)];
  }
  int64_t& operator[](int i) {
    assert(i >= 0 && i < rank_);
    return dims_[static_cast<size_t>(i)];
  }
  /// Size of axis `i` counted from the end (-1 is the last).
  int64_t back(int i = -1) const { return (*this)[rank_ + i]; }
  const int64_t* begin() const { return dims_.data(); }
  const int64_t* end() const { return dims_.data() + rank_; }
  std::span<const int64_t> dims() const { return {begin(), end()}; }
  void push_back(int64_t dim) {
    assert(rank_ < kMaxRank);
    dims_[static_cast<size_t>(rank_++)] = dim;
  }

  /// Number of elements. The importer and shape inference have checked that it does not overflow.
  int64_t elements() const;
  /// Row-major strides in elements.
  Shape strides() const;
  bool operator==(const Shape& other) const;
  /// "1x3x640x640"; "scalar" for rank 0.
  std::string str() const;

 private:
  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

/// Product of the dims, or nothing when a dim is negative or the product exceeds 2^40.
std::optional<int64_t> checked_elements(std::span<const int64_t> dims);

/// Parses "1x3x480x640".
std::optional<Shape> parse_shape(std::string_view text);

/// ONNX multidirectional broadcasting of two shapes; nothing when they do not fit.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);

}  // namespace vultus
