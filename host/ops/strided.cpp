#include "host/ops/strided.hpp"

#include <cstring>

namespace vultus {

namespace {

template <class T>
void copy_as(const std::byte* from, std::byte* to, const Walk<2>& walk) {
  const T* source = reinterpret_cast<const T*>(from);
  T* target = reinterpret_cast<T*>(to);
  for_runs(walk, [=](const auto& at, const auto& step, int64_t n) {
    const T* x = source + at[0];
    T* y = target + at[1];
    if (step[0] == 1 && step[1] == 1)
      std::memcpy(y, x, static_cast<size_t>(n) * sizeof(T));
    else
      for (int64_t i = 0; i < n; ++i)
        y[i * step[1]] = x[i * step[0]];
  });
}

}  // namespace

std::vector<int64_t> broadcast_strides(const Shape& shape, const Shape& out) {
  Shape own = shape.strides();
  std::vector<int64_t> strides(static_cast<size_t>(out.rank()), 0);
  for (int i = 0; i < shape.rank(); ++i)
    if (shape[i] != 1) strides[static_cast<size_t>(out.rank() - shape.rank() + i)] = own[i];
  return strides;
}

void copy_strided(const std::byte* from, std::byte* to, const Walk<2>& walk, size_t element_bytes) {
  switch (element_bytes) {
    case 1:
      return copy_as<uint8_t>(from, to, walk);
    case 2:
      return copy_as<uint16_t>(from, to, walk);
    case 4:
      return copy_as<uint32_t>(from, to, walk);
    default:
      assert(element_bytes == 8);
      return copy_as<uint64_t>(from, to, walk);
  }
}

}  // namespace vultus
