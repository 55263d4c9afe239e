#pragma once

#include <onnx/onnx_pb.h>

#include <span>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/core/tensor.hpp"

namespace vultus {

/// A parsed model. Raw bytes of large initialisers are not in the message but beside it.
struct Model {
  onnx::ModelProto proto;
  /// By initialiser; empty where the message holds the data. May be shorter than the list.
  std::vector<std::span<const std::byte>> raw;
  Tensor file;  ///< what `raw` points into, unless the caller holds it

  std::span<const std::byte> raw_of(int initializer) const {
    const auto i = static_cast<size_t>(initializer);
    return i < raw.size() ? raw[i] : std::span<const std::byte>();
  }
};

/// Reads the protobuf message and checks what concerns the file as a whole: that it is a model, its
/// opset, and that it uses no functions, custom domains, sparse tensors or quantisation.
Result<Model> read_model(const std::string& path);
/// The bytes outlive the model.
Result<Model> parse_model(std::span<const std::byte> bytes);

/// Version of the default operator domain; `read_model` has checked that there is one.
int opset_of(const onnx::ModelProto& model);

/// Refuses names that are too long or hold control characters, which would end up in terminals.
/// `what` is "node", "tensor" and so on.
Result<void> check_name(const std::string& name, const char* what);

/// bad_model with that sentence.
Error bad_model(std::string what);

}  // namespace vultus
