#include "gpu/layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

namespace vultus::gpu {

namespace {

std::optional<int64_t> outside_int32(std::span<const int64_t> values) {
  auto it = std::find_if(values.begin(), values.end(), [](int64_t v) {
    return v < std::numeric_limits<int32_t>::min() || v > std::numeric_limits<int32_t>::max();
  });
  if (it == values.end()) return std::nullopt;
  return *it;
}

// Bytes, not bool: a caller's buffer may hold other values than 0 and 1.
void booleans_to_floats(const TensorView& from, float* to) {
  auto* values = reinterpret_cast<const uint8_t*>(from.bytes);
  std::transform(values, values + from.shape.elements(), to,
                 [](uint8_t v) { return v != 0 ? 1.0f : 0.0f; });
}

int64_t pixels_of(const Shape& shape) {
  return shape.rank() == 4 ? shape[2] * shape[3] : 1;
}

}  // namespace

bool is_integer(DType dtype) {
  return dtype == DType::i32 || dtype == DType::i64;
}

bool has_device_form(DType dtype) {
  return dtype == DType::f32 || dtype == DType::boolean || dtype == DType::u8 || is_integer(dtype);
}

bool fits_nhwc8(const Value& value) {
  return (value.shape.rank() == 4 || value.shape.rank() == 2) && !is_integer(value.dtype) &&
         value.dtype != DType::u8;
}

uint64_t raw_size_of(DType dtype) {
  return dtype == DType::u8 ? 1 : 4;
}

uint64_t layout_bytes(const Shape& shape, DType dtype, Layout layout, Precision precision) {
  const bool half =
      precision == Precision::fp16 && (dtype == DType::f32 || dtype == DType::boolean);
  const uint64_t element = half ? 2 : raw_size_of(dtype);
  if (layout == Layout::linear) return static_cast<uint64_t>(shape.elements()) * element;
  uint64_t padded = align_up(static_cast<uint64_t>(shape[1]), 8);
  return static_cast<uint64_t>(shape[0] * pixels_of(shape)) * padded * element;
}

bool same_bytes(const Shape& shape, Layout from, Layout to) {
  if (from == to) return true;
  if (pixels_of(shape) != 1) return false;
  if (shape[1] % 8 == 0) return true;
  // One row: the padding lanes follow the tensor, and nobody reads them.
  return from == Layout::nhwc8 && shape[0] == 1;
}

std::vector<float> to_nhwc8(std::span<const float> values, const Shape& shape) {
  size_t n = static_cast<size_t>(shape[0]), c = static_cast<size_t>(shape[1]);
  size_t pixels = static_cast<size_t>(pixels_of(shape)), padded = (c + 7) / 8 * 8;
  std::vector<float> out(n * pixels * padded);
  for (size_t i = 0; i < n; ++i)
    for (size_t k = 0; k < c; ++k)
      for (size_t p = 0; p < pixels; ++p)
        out[(i * pixels + p) * padded + k] = values[(i * c + k) * pixels + p];
  return out;
}

Result<std::vector<float>> to_floats(const TensorView& tensor) {
  if (tensor.dtype == DType::boolean) {
    std::vector<float> out(static_cast<size_t>(tensor.shape.elements()));
    booleans_to_floats(tensor, out.data());
    return out;
  }
  if (tensor.dtype != DType::f32)
    return Error{Errc::internal,
                 fmt::format("is {}, not numbers with a fraction", name_of(tensor.dtype))};
  auto values = tensor.as<const float>();
  return std::vector<float>(values.begin(), values.end());
}

Result<std::vector<int32_t>> narrow_integers(const Tensor& tensor) {
  if (tensor.dtype() == DType::i32) {
    auto values = tensor.as<int32_t>();
    return std::vector<int32_t>(values.begin(), values.end());
  }
  auto values = tensor.as<int64_t>();
  if (auto bad = outside_int32(values))
    return Error{Errc::bad_model, fmt::format("holds {}, which does not fit 32 bits", *bad)};
  std::vector<int32_t> out(values.size());
  std::transform(values.begin(), values.end(), out.begin(),
                 [](int64_t v) { return static_cast<int32_t>(v); });
  return out;
}

Result<void> copy_in(const TensorView& from, std::byte* to, const std::string& name) {
  if (from.size_bytes() == 0) return {};
  if (from.dtype == DType::f32 || from.dtype == DType::i32 || from.dtype == DType::u8) {
    std::memcpy(to, from.bytes, from.size_bytes());
  } else if (from.dtype == DType::boolean) {
    booleans_to_floats(from, reinterpret_cast<float*>(to));
  } else {
    auto values = from.as<const int64_t>();
    if (auto bad = outside_int32(values))
      return Error{Errc::bad_input,
                   fmt::format("input '{}' holds {}, which does not fit the GPU's 32-bit integers: "
                               "use --device cpu",
                               name, *bad)};
    std::transform(values.begin(), values.end(), reinterpret_cast<int32_t*>(to),
                   [](int64_t v) { return static_cast<int32_t>(v); });
  }
  return {};
}

void copy_out(const std::byte* from, Tensor& out) {
  if (out.dtype() == DType::boolean) {
    auto* values = reinterpret_cast<const float*>(from);
    auto to = out.as<bool>();
    std::transform(values, values + to.size(), to.begin(), [](float v) { return v != 0.0f; });
  } else if (out.dtype() == DType::i64) {
    auto* values = reinterpret_cast<const int32_t*>(from);
    auto to = out.as<int64_t>();
    std::copy(values, values + to.size(), to.begin());
  } else if (out.size_bytes() > 0) {
    std::memcpy(out.bytes(), from, out.size_bytes());
  }
}

int64_t rows_present(const Tensor& tensor) {
  int64_t rows = tensor.shape()[0];
  if (rows == 0) return 0;
  int64_t width = tensor.shape().elements() / rows;
  if (width == 0) return rows;
  for (int64_t r = 0; r < rows; ++r) {
    size_t first = static_cast<size_t>(r * width);
    if (tensor.dtype() == DType::i64 ? tensor.as<int64_t>()[first] < 0
                                     : tensor.as<int32_t>()[first] < 0)
      return r;
  }
  return rows;
}

}  // namespace vultus::gpu
