#pragma once

#include <optional>

#include "host/core/tensor.hpp"

namespace vultus {

/// Element type of a number of ONNX TensorProto.DataType; nothing when the engine has none.
std::optional<DType> dtype_of_onnx(int64_t type);

}  // namespace vultus
