#include "host/onnx/attributes.hpp"

#include <fmt/format.h>

#include <cmath>

#include "host/ops/op.hpp"

namespace vultus {

namespace {

Result<Attribute> read_attribute(const onnx::AttributeProto& proto, TensorReader& tensors) {
  using Proto = onnx::AttributeProto;
  auto quoted = [&](std::string_view what) {
    return bad_model(fmt::format("attribute '{}' {}", proto.name(), what));
  };
  switch (proto.type()) {
    case Proto::FLOAT:
      if (std::isnan(proto.f())) return quoted("is not a number");
      return Attribute(proto.f());
    case Proto::INT:
      return Attribute(int64_t{proto.i()});
    case Proto::STRING:
      return Attribute(proto.s());
    case Proto::FLOATS:
      for (float f : proto.floats())
        if (std::isnan(f)) return quoted("holds something that is not a number");
      return Attribute(std::vector<float>(proto.floats().begin(), proto.floats().end()));
    case Proto::INTS:
      return Attribute(std::vector<int64_t>(proto.ints().begin(), proto.ints().end()));
    case Proto::STRINGS:
      return Attribute(std::vector<std::string>(proto.strings().begin(), proto.strings().end()));
    case Proto::TENSOR: {
      VULTUS_TRY(auto tensor, tensors.read(proto.t(), fmt::format("attribute '{}'", proto.name())));
      return Attribute(std::make_shared<const Tensor>(std::move(tensor)));
    }
    case Proto::GRAPH:
    case Proto::GRAPHS:
      return quoted("is a subgraph; If, Loop and Scan are not supported (export a traced model)");
    case Proto::SPARSE_TENSOR:
    case Proto::SPARSE_TENSORS:
      return quoted("is a sparse tensor, which is not supported; store it dense");
    default:
      return quoted(
          fmt::format("has type {}, which is not supported", static_cast<int>(proto.type())));
  }
}

}  // namespace

Result<void> read_attributes(const onnx::NodeProto& proto, TensorReader& tensors, Node& node) {
  for (const auto& attribute : proto.attribute()) {
    auto named = [&](const Error& error) {
      return Error{error.code, fmt::format("{}: {}", describe(node), error.what)};
    };
    if (auto fine = check_name(attribute.name(), "attribute"); !fine) return named(fine.error());
    if (!attribute.ref_attr_name().empty())
      return named(bad_model(
          fmt::format("attribute '{}' refers to a function's attribute", attribute.name())));
    auto value = read_attribute(attribute, tensors);
    if (!value) return named(value.error());
    bool is_type = attribute.name() == "to" || attribute.name() == "dtype";
    if (is_type && attribute.i() == onnx::TensorProto::FLOAT16)
      value = Attribute(int64_t{onnx::TensorProto::FLOAT});
    if (!node.attributes.emplace(attribute.name(), std::move(*value)).second)
      return named(bad_model(fmt::format("has the attribute '{}' twice", attribute.name())));
  }
  return {};
}

Result<Tensor> constant_of(const Node& node) {
  auto fail = [&](std::string_view what) {
    return bad_model(fmt::format("{}: {}", describe(node), what));
  };
  if (node.attributes.size() != 1) return fail("must have exactly one value");
  const auto& [key, value] = *node.attributes.begin();
  if (key == "value")
    if (auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&value))
      return (*tensor)->clone();
  if (key == "value_float")
    if (auto* f = std::get_if<float>(&value)) return Tensor::of<float>({}, {*f});
  if (key == "value_int")
    if (auto* i = std::get_if<int64_t>(&value)) return Tensor::of<int64_t>({}, {*i});
  if (key == "value_floats")
    if (auto* f = std::get_if<std::vector<float>>(&value))
      return Tensor::of<float>({static_cast<int64_t>(f->size())}, std::span<const float>(*f));
  if (key == "value_ints")
    if (auto* i = std::get_if<std::vector<int64_t>>(&value))
      return Tensor::of<int64_t>({static_cast<int64_t>(i->size())}, std::span<const int64_t>(*i));
  return fail(fmt::format("its '{}' is not supported; tensors and numbers are", key));
}

}  // namespace vultus
