#include "host/core/shape.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace vultus {

int64_t Shape::elements() const {
  int64_t n = 1;
  for (int64_t d : *this)
    n *= d;
  return n;
}

Shape Shape::strides() const {
  Shape s = *this;
  int64_t stride = 1;
  for (int i = rank_ - 1; i >= 0; --i) {
    s[i] = stride;
    stride *= (*this)[i];
  }
  return s;
}

bool Shape::operator==(const Shape& other) const {
  return std::equal(begin(), end(), other.begin(), other.end());
}

std::string Shape::str() const {
  return rank_ == 0 ? "scalar" : fmt::format("{}", fmt::join(dims(), "x"));
}

std::optional<int64_t> checked_elements(std::span<const int64_t> dims) {
  constexpr int64_t kLimit = int64_t{1} << 40;
  int64_t n = 1;
  bool zero = false;
  for (int64_t d : dims) {
    if (d < 0 || d > kLimit) return std::nullopt;
    if (d == 0) {
      zero = true;
      continue;
    }
    if (n > kLimit / d) return std::nullopt;
    n *= d;
  }
  return zero ? 0 : n;
}

std::optional<Shape> parse_shape(std::string_view text) {
  Shape shape;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end && shape.rank() < kMaxRank) {
    int64_t dim = 0;
    auto [next, error] = std::from_chars(at, end, dim);
    if (error != std::errc{} || dim < 0) return std::nullopt;
    shape.push_back(dim);
    if (next == end) return checked_elements(shape.dims()) ? std::optional(shape) : std::nullopt;
    if (*next != 'x') return std::nullopt;
    at = next + 1;
  }
  return std::nullopt;
}

std::optional<Shape> broadcast(const Shape& a, const Shape& b) {
  int rank = std::max(a.rank(), b.rank());
  Shape out;
  for (int i = -rank; i < 0; ++i) {
    int64_t da = -i <= a.rank() ? a.back(i) : 1;
    int64_t db = -i <= b.rank() ? b.back(i) : 1;
    if (da != db && da != 1 && db != 1) return std::nullopt;
    out.push_back(da == 1 ? db : da);
  }
  return out;
}

}  // namespace vultus
