#pragma once

#include <random>

#include "host/core/tensor.hpp"

namespace vultus::test {

/// An 8-bit BGR picture of noise in rows without gaps, with `spare` bytes behind it.
inline Tensor random_picture(int height, int width, uint32_t seed, int64_t spare = 0) {
  Tensor picture(DType::u8, {int64_t{3} * height * width + spare});
  std::mt19937 engine(seed);
  for (uint8_t& v : picture.as<uint8_t>())
    v = static_cast<uint8_t>(engine());
  return picture;
}

/// `count` of them, all different, one behind the other, and `spare` bytes.
inline Tensor random_pictures(int count, int height, int width, uint32_t seed, int64_t spare = 0) {
  return random_picture(count * height, width, seed, spare);
}

inline Tensor picture_size(int height, int width) {
  return Tensor::of<int32_t>({2}, {height, width});
}

}  // namespace vultus::test
