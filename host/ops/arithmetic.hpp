#pragma once

#include <cmath>
#include <limits>
#include <type_traits>

namespace vultus {

/// Sums, differences and products; integers wrap around instead of being undefined.
template <class T>
T add(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) + static_cast<U>(b));
  } else {
    return a + b;
  }
}
template <class T>
T subtract(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) - static_cast<U>(b));
  } else {
    return a - b;
  }
}
template <class T>
T multiply(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<T>(static_cast<U>(a) * static_cast<U>(b));
  } else {
    return a * b;
  }
}

/// A number as U: integers saturate, NaN becomes 0.
template <class U>
U saturate(double value) {
  if constexpr (std::is_integral_v<U>) {
    if (std::isnan(value)) return 0;
    if (value <= static_cast<double>(std::numeric_limits<U>::min()))
      return std::numeric_limits<U>::min();
    if (value >= static_cast<double>(std::numeric_limits<U>::max()))
      return std::numeric_limits<U>::max();
  }
  return static_cast<U>(value);
}

}  // namespace vultus
