#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "host/run/device.hpp"

namespace vultus::test {

using Integers = std::vector<int64_t>;

/// Seeded choices for random cases.
class Dice {
 public:
  explicit Dice(uint32_t seed) : engine_(seed) {}
  /// Both ends included.
  int64_t of(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine_);
  }
  int64_t among(const Integers& values) {
    return values[static_cast<size_t>(of(0, static_cast<int64_t>(values.size()) - 1))];
  }

 private:
  std::mt19937 engine_;
};

/// One precision per random case, so that hundreds of them take seconds.
inline std::vector<Precision> alternate(uint32_t seed) {
  return {seed % 2 ? Precision::fp16 : Precision::fp32};
}

}  // namespace vultus::test
