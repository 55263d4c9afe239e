#pragma once

#include "host/graph/graph.hpp"
#include "host/onnx/proto.hpp"
#include "host/onnx/tensors.hpp"

namespace vultus {

/// Copies a node's attributes. Subgraphs, sparse tensors and types are refused by name; element
/// types given by number (Cast `to`, EyeLike `dtype`) become FLOAT where they are FLOAT16.
Result<void> read_attributes(const onnx::NodeProto& proto, TensorReader& tensors, Node& node);

/// The tensor a Constant node holds, from whichever of its attributes is set.
Result<Tensor> constant_of(const Node& node);

}  // namespace vultus
