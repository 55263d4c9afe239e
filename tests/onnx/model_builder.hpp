#pragma once

// The host builds against the same schema (host/CMakeLists.txt).
#define ONNX_NAMESPACE onnx
#define ONNX_ML 1
#include <onnx/onnx_pb.h>

#include <functional>
#include <string>
#include <vector>

#include "host/onnx/import.hpp"

namespace vultus::test {

inline onnx::NodeProto* add_node(onnx::ModelProto& model, const std::string& op,
                                 const std::string& name, const std::vector<std::string>& inputs,
                                 const std::vector<std::string>& outputs) {
  auto* node = model.mutable_graph()->add_node();
  node->set_op_type(op);
  node->set_name(name);
  for (const auto& input : inputs)
    node->add_input(input);
  for (const auto& output : outputs)
    node->add_output(output);
  return node;
}

/// A valid model of one Relu ("x" [2,3] -> "y", node "first") to be spoiled by a test.
inline onnx::ModelProto small_model() {
  onnx::ModelProto model;
  model.set_ir_version(7);
  auto* opset = model.add_opset_import();
  opset->set_domain("");
  opset->set_version(13);
  auto* graph = model.mutable_graph();
  graph->set_name("small");
  auto* input = graph->add_input();
  input->set_name("x");
  auto* type = input->mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx::TensorProto::FLOAT);
  type->mutable_shape()->add_dim()->set_dim_value(2);
  type->mutable_shape()->add_dim()->set_dim_value(3);
  graph->add_output()->set_name("y");
  add_node(model, "Relu", "first", {"x"}, {"y"});
  return model;
}

/// An initialiser of floats 1, 2, 3, ... as typed data.
inline onnx::TensorProto* add_floats(onnx::ModelProto& model, const std::string& name,
                                     const std::vector<int64_t>& dims) {
  auto* tensor = model.mutable_graph()->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  int64_t count = 1;
  for (int64_t d : dims) {
    tensor->add_dims(d);
    count *= d;
  }
  for (int64_t i = 0; i < count; ++i)
    tensor->add_float_data(static_cast<float>(i + 1));
  return tensor;
}

inline Result<Graph> import_model(const onnx::ModelProto& model, const ShapeBindings& shapes = {},
                                  const std::string& folder = "") {
  std::string bytes = model.SerializeAsString();
  return import_onnx(std::as_bytes(std::span(bytes)), "test.onnx", shapes, folder);
}

}  // namespace vultus::test
