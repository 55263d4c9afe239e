#pragma once

#include <span>
#include <string>

#include "host/core/result.hpp"
#include "host/core/tensor.hpp"

namespace vultus {

/// NumPy array from .npy bytes: versions 1 and 2, little-endian, float32/64/16, int32/64, uint8,
/// int8, bool. Fortran order, objects and lying headers are refused. `name` is for messages.
Result<Tensor> parse_npy(std::span<const std::byte> bytes, const std::string& name);
Result<Tensor> read_npy(const std::string& path);
/// Written to a temporary name and renamed.
Result<void> write_npy(const std::string& path, const TensorView& tensor);

}  // namespace vultus
