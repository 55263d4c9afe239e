#pragma once

#include <onnx/onnx_pb.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/onnx/weights.hpp"

namespace vultus {

/// A parsed model. Raw bytes of large initialisers are not in the message but still in the source.
struct Model {
  onnx::ModelProto proto;
  std::unique_ptr<ByteSource> source;
  /// By initialiser, into the source; of size 0 where the message holds the data.
  std::vector<ByteRange> raw;
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
