#include "host/core/tensor.hpp"

#include <cstring>
#include <new>

namespace vultus {

namespace {
constexpr std::align_val_t kAlignment{64};
}

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
  ::operator delete[](p, kAlignment);
}

Tensor::Tensor(DType dtype, const Shape& shape) : dtype_(dtype), shape_(shape) {
  size_t size = capacity_ = size_bytes();
  bytes_.reset(static_cast<std::byte*>(::operator new[](size == 0 ? 1 : size, kAlignment)));
  std::memset(bytes_.get(), 0, size);
}

Tensor Tensor::clone() const {
  Tensor copy(dtype_, shape_);
  std::memcpy(copy.bytes(), bytes(), size_bytes());
  return copy;
}

}  // namespace vultus
