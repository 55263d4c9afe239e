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

Shape broadcast_strides(const Shape& shape, const Shape& out) {
  const Shape own = shape.strides();
  const int repeated = out.rank() - shape.rank();
  Shape strides;
  for (int i = 0; i < out.rank(); ++i)
    strides.push_back(i < repeated || shape[i - repeated] == 1 ? 0 : own[i - repeated]);
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
