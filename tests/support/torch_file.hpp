#pragma once

#include <map>
#include <string>

#include "host/core/tensor.hpp"

namespace vultus::test {

/// Writes what torch.save makes of a state dict: PyTorch's zip format, float32 tensors and int64
/// scalars. `where`, unless empty, is the key of the dictionary around it.
void write_torch_file(const std::string& path, const std::map<std::string, Tensor>& state,
                      const std::string& where = "");

/// Every tensor of a checkpoint, by the reader's name. Fails the test when it cannot be read.
std::map<std::string, Tensor> read_torch_file(const std::string& path);

}  // namespace vultus::test
