#pragma once

#include <onnx/onnx_pb.h>

#include <span>
#include <string>

#include "host/core/result.hpp"

namespace vultus {

/// Reads the protobuf message and checks what concerns the file as a whole: that it is a model, its
/// opset, and that it uses no functions, custom domains, sparse tensors or quantisation.
Result<onnx::ModelProto> read_model(const std::string& path);
Result<onnx::ModelProto> parse_model(std::span<const std::byte> bytes);

/// Version of the default operator domain; `read_model` has checked that there is one.
int opset_of(const onnx::ModelProto& model);

/// Refuses names that are too long or hold control characters, which would end up in terminals.
/// `what` is "node", "tensor" and so on.
Result<void> check_name(const std::string& name, const char* what);

/// bad_model with that sentence.
Error bad_model(std::string what);

}  // namespace vultus
