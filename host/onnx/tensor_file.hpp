#pragma once

#include <string>

#include "host/core/result.hpp"
#include "host/core/tensor.hpp"

namespace vultus {

/// One array of a file and the name it has there, which may be empty or anybody's.
struct NamedTensor {
  std::string name;
  Tensor tensor;
};

/// A serialized onnx TensorProto, as in the ONNX project's input_0.pb. float16 becomes float32;
/// infinities and NaN stay. Errc::bad_input with a sentence for what is no such file, damaged, over
/// 2 GiB, a sequence or optional value, or of a type or size the engine does not have.
Result<NamedTensor> read_tensor_file(const std::string& path);

}  // namespace vultus
