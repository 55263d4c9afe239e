#include "host/core/tensor.hpp"

#include <sys/mman.h>

#include <cstring>

namespace vultus {

namespace {
constexpr std::align_val_t kAlignment{64};
constexpr size_t kHugePage = 2u << 20;
}  // namespace

size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
    case DType::i64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::f16:
      return 2;
    case DType::u8:
    case DType::i8:
    case DType::boolean:
      return 1;
  }
  return 0;
}

std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "float32";
    case DType::f16:
      return "float16";
    case DType::f64:
      return "float64";
    case DType::i32:
      return "int32";
    case DType::i64:
      return "int64";
    case DType::u8:
      return "uint8";
    case DType::i8:
      return "int8";
    case DType::boolean:
      return "bool";
  }
  return "?";
}

void Tensor::Free::operator()(std::byte* p) const {
  ::operator delete[](p, alignment);
}

Tensor Tensor::emptied(DType dtype, const Shape& shape) {
  Tensor t;
  t.dtype_ = dtype;
  t.shape_ = shape;
  return t;
}

Tensor Tensor::uninitialised(DType dtype, const Shape& shape) {
  Tensor t;
  t.dtype_ = dtype;
  t.shape_ = shape;
  const size_t size = t.capacity_ = t.size_bytes();
  const std::align_val_t alignment = size >= kHugePage ? std::align_val_t{kHugePage} : kAlignment;
  auto* bytes = static_cast<std::byte*>(::operator new[](std::max<size_t>(size, 1), alignment));
  t.bytes_ = {bytes, Free(alignment)};
  // A hint: half the time of loading a network is the kernel clearing small pages.
  if (size >= kHugePage) madvise(bytes, size / kHugePage * kHugePage, MADV_HUGEPAGE);
  return t;
}

Tensor::Tensor(DType dtype, const Shape& shape) : Tensor(uninitialised(dtype, shape)) {
  std::memset(bytes_.get(), 0, capacity_);
}

Tensor Tensor::clone() const {
  Tensor copy = uninitialised(dtype_, shape_);
  std::memcpy(copy.bytes(), bytes(), size_bytes());
  return copy;
}

}  // namespace vultus
