#include "host/onnx/writer.hpp"

#include <fmt/format.h>

#include "host/onnx/limits.hpp"
#include "host/onnx/proto.hpp"

namespace vultus {

namespace {

constexpr int kOpset = 13;
/// The one that came with opset 13.
constexpr int kIrVersion = 7;

int onnx_type(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return onnx::TensorProto::FLOAT;
    case DType::f16:
      return onnx::TensorProto::FLOAT16;
    case DType::f64:
      return onnx::TensorProto::DOUBLE;
    case DType::i32:
      return onnx::TensorProto::INT32;
    case DType::i64:
      return onnx::TensorProto::INT64;
    case DType::u8:
      return onnx::TensorProto::UINT8;
    case DType::i8:
      return onnx::TensorProto::INT8;
    case DType::boolean:
      return onnx::TensorProto::BOOL;
  }
  return onnx::TensorProto::UNDEFINED;
}

void fill(onnx::TensorProto& proto, const Tensor& tensor) {
  proto.set_data_type(onnx_type(tensor.dtype()));
  for (int64_t size : tensor.shape().dims())
    proto.add_dims(size);
  proto.set_raw_data(tensor.bytes(), tensor.size_bytes());
}

void fill(onnx::ValueInfoProto& proto, const std::string& name, const std::vector<OnnxDim>& dims,
          DType dtype) {
  proto.set_name(name);
  auto* type = proto.mutable_type()->mutable_tensor_type();
  type->set_elem_type(onnx_type(dtype));
  auto* shape = type->mutable_shape();
  for (const OnnxDim& size : dims) {
    if (const auto* fixed = std::get_if<int64_t>(&size))
      shape->add_dim()->set_dim_value(*fixed);
    else
      shape->add_dim()->set_dim_param(std::get<std::string>(size));
  }
}

struct FillAttribute {
  onnx::AttributeProto& proto;
  using Proto = onnx::AttributeProto;

  void operator()(int64_t value) const {
    proto.set_type(Proto::INT);
    proto.set_i(value);
  }
  void operator()(float value) const {
    proto.set_type(Proto::FLOAT);
    proto.set_f(value);
  }
  void operator()(const std::string& value) const {
    proto.set_type(Proto::STRING);
    proto.set_s(value);
  }
  void operator()(const std::vector<int64_t>& values) const {
    proto.set_type(Proto::INTS);
    proto.mutable_ints()->Add(values.begin(), values.end());
  }
  void operator()(const std::vector<float>& values) const {
    proto.set_type(Proto::FLOATS);
    proto.mutable_floats()->Add(values.begin(), values.end());
  }
  void operator()(const std::vector<std::string>& values) const {
    proto.set_type(Proto::STRINGS);
    for (const std::string& value : values)
      proto.add_strings(value);
  }
  void operator()(const std::shared_ptr<const Tensor>& value) const {
    proto.set_type(Proto::TENSOR);
    fill(*proto.mutable_t(), *value);
  }
};

}  // namespace

OnnxWriter::OnnxWriter(const std::string& graph_name)
    : model_(std::make_unique<onnx::ModelProto>()) {
  model_->set_ir_version(kIrVersion);
  model_->set_producer_name("vultus");
  model_->set_producer_version(VULTUS_VERSION);
  auto* opset = model_->add_opset_import();
  opset->set_domain("");
  opset->set_version(kOpset);
  model_->mutable_graph()->set_name(graph_name);
}

OnnxWriter::~OnnxWriter() = default;

void OnnxWriter::define(const std::string& name) {
  if (!defined_.insert(name).second && mistake_.empty())
    mistake_ = fmt::format("value '{}' is defined twice", name);
}

void OnnxWriter::use(const std::string& name) {
  if (!defined_.contains(name) && mistake_.empty())
    mistake_ = fmt::format("value '{}' is used before it is defined", name);
}

std::string OnnxWriter::input(const std::string& name, const std::vector<OnnxDim>& dims,
                              DType dtype) {
  define(name);
  fill(*model_->mutable_graph()->add_input(), name, dims, dtype);
  return name;
}

std::string OnnxWriter::initializer(const std::string& name, const Tensor& tensor) {
  define(name);
  auto* proto = model_->mutable_graph()->add_initializer();
  proto->set_name(name);
  fill(*proto, tensor);
  return name;
}

std::string OnnxWriter::node(const std::string& op, const std::string& name,
                             const std::vector<std::string>& inputs,
                             const OnnxAttributes& attributes, size_t outputs) {
  auto* proto = model_->mutable_graph()->add_node();
  proto->set_op_type(op);
  proto->set_name(name);
  for (const std::string& input : inputs) {
    if (!input.empty()) use(input);
    proto->add_input(input);
  }
  for (size_t i = 0; i < outputs; ++i) {
    const std::string value = i == 0 ? name : fmt::format("{}:{}", name, i);
    define(value);
    proto->add_output(value);
  }
  for (const auto& [key, value] : attributes) {
    auto* attribute = proto->add_attribute();
    attribute->set_name(key);
    std::visit(FillAttribute{*attribute}, value);
  }
  return name;
}

void OnnxWriter::output(const std::string& name, const std::vector<OnnxDim>& dims, DType dtype) {
  use(name);
  fill(*model_->mutable_graph()->add_output(), name, dims, dtype);
}

void OnnxWriter::note(const std::string& key, const std::string& value) {
  auto* entry = model_->add_metadata_props();
  entry->set_key(key);
  entry->set_value(value);
}

Result<std::string> OnnxWriter::serialise() const {
  if (!mistake_.empty())
    return Error{Errc::internal, fmt::format("network {}: {}", model_->graph().name(), mistake_)};
  if (model_->ByteSizeLong() > static_cast<size_t>(kMaxModelBytes))
    return Error{Errc::bad_model,
                 fmt::format("network {} would be over 2 GiB, more than an ONNX file can hold",
                             model_->graph().name())};
  std::string bytes;
  if (!model_->SerializeToString(&bytes))
    return Error{Errc::internal,
                 fmt::format("network {}: protobuf could not write it", model_->graph().name())};
  return bytes;
}

}  // namespace vultus
