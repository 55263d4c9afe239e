#pragma once

#include <span>
#include <vector>

#include "gpu/builder.hpp"

namespace vultus::gpu {

/// From this magnitude on a float rounds to infinity in fp16.
inline constexpr float kHalfOverflow = 65520.0f;

constexpr uint64_t align_up(uint64_t bytes, uint64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// 32-bit integers on the device.
bool is_integer(DType dtype);
/// Types that have a form on the device: f32, bool, i32, i64, and u8, which is packed bytes that
/// few kernels read (`GpuOp::reads_bytes`).
bool has_device_form(DType dtype);
/// Rank 2 or 4 and not an integer.
bool fits_nhwc8(const Value& value);
/// Bytes of an element in the raw form, in which values go up and come down.
uint64_t raw_size_of(DType dtype);
/// Bytes of a tensor on the device, without padding at its end.
uint64_t layout_bytes(const Shape& shape, DType dtype, Layout layout, Precision precision);
/// Whether a tensor that lies in `from` can be read in `to` without moving a byte.
bool same_bytes(const Shape& shape, Layout from, Layout to);

/// Row-major values of [N,C,H,W] or [N,C] in nhwc8 order, zero in the padding lanes.
std::vector<float> to_nhwc8(std::span<const float> values, const Shape& shape);
/// f32 as they are; booleans as 0 and 1. Other types are an error, which completes "constant 'x'
/// ...".
Result<std::vector<float>> to_floats(const TensorView& tensor);
/// i32 or i64 as 32 bits; the error completes "constant 'x' ...".
Result<std::vector<int32_t>> narrow_integers(const Tensor& tensor);

/// Writes host data as the device's raw form: float32 or int32, row-major. `name` is for messages.
Result<void> copy_in(const TensorView& from, std::byte* to, const std::string& name);
/// Back again into `out`, whose type and shape are set.
void copy_out(const std::byte* from, Tensor& out);
/// Rows before the first one that begins with a negative number.
int64_t rows_present(const Tensor& tensor);

}  // namespace vultus::gpu
