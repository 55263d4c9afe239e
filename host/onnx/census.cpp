#include "host/onnx/census.hpp"

#include <fmt/format.h>

#include <new>
#include <unordered_set>

#include "host/onnx/proto.hpp"
#include "host/onnx/tensors.hpp"
#include "host/ops/op.hpp"

namespace vultus {

namespace {

ModelCensus::Input read_input(const onnx::ValueInfoProto& proto) {
  ModelCensus::Input input;
  input.name = proto.name();
  const auto& type = proto.type().tensor_type();
  input.dtype = name_of_onnx_type(type.elem_type());
  input.is_fixed = type.has_shape();
  for (const auto& dim : type.shape().dim()) {
    if (dim.has_dim_value()) {
      input.dims.push_back(std::to_string(dim.dim_value()));
      continue;
    }
    input.is_fixed = false;
    input.dims.push_back(dim.dim_param().empty() ? "?" : dim.dim_param());
  }
  return input;
}

int64_t elements_of(const onnx::TensorProto& tensor) {
  int64_t elements = 1;
  for (int64_t size : tensor.dims())
    if (size < 0 || __builtin_mul_overflow(elements, size, &elements)) return 0;
  return elements;
}

/// Why the engine cannot read a node; empty when it can.
std::string refusal(const onnx::NodeProto& node, int opset) {
  if (node.op_type() == "Constant") return {};
  const Op* op = find_op(node.op_type());
  if (!op) return "no such operator in this engine";
  if (opset < op->since || opset > op->until)
    return fmt::format("opset {} of it, {} to {} are supported", opset, op->since, op->until);
  return {};
}

Result<ModelCensus> count_all(const std::string& path) {
  auto model = read_model(path);
  if (!model) return Error{model.error().code, fmt::format("{}: {}", path, model.error().what)};
  const onnx::ModelProto& proto = model->proto;
  const onnx::GraphProto& graph = proto.graph();
  ModelCensus census;
  census.producer = proto.producer_name();
  if (!proto.producer_version().empty()) census.producer += " " + proto.producer_version();
  census.ir_version = proto.ir_version();
  census.opset = opset_of(proto);
  std::unordered_set<std::string> initialised;
  for (const auto& tensor : graph.initializer()) {
    initialised.insert(tensor.name());
    census.parameters += elements_of(tensor);
  }
  for (const auto& input : graph.input())
    if (!initialised.contains(input.name())) census.inputs.push_back(read_input(input));
  for (const auto& output : graph.output())
    census.outputs.push_back(output.name());
  for (const auto& node : graph.node()) {
    ++census.operators[node.op_type()];
    if (std::string why = refusal(node, census.opset); !why.empty())
      census.unsupported.push_back({node.name(), node.op_type(), std::move(why)});
  }
  return census;
}

}  // namespace

Result<ModelCensus> read_census(const std::string& path) {
  try {
    return count_all(path);
  } catch (const std::bad_alloc&) {
    return Error{Errc::out_of_memory, fmt::format("{}: needs more memory than there is", path)};
  }
}

}  // namespace vultus
