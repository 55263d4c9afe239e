#include "host/onnx/inputs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <unordered_set>

#include "host/onnx/tensors.hpp"
#include "host/ops/op.hpp"

namespace vultus {

namespace {

using Symbols = std::map<std::string, int64_t>;
using TypeShape = onnx::TensorShapeProto;

bool is_static(const TypeShape::Dimension& dim) {
  return dim.has_dim_value();
}

Result<void> check_type(const onnx::ValueInfoProto& input) {
  auto fail = [&](std::string_view what) {
    return bad_model(fmt::format("input '{}' {}", input.name(), what));
  };
  if (!input.type().has_tensor_type()) return fail("is no tensor; only tensors are supported");
  const auto& type = input.type().tensor_type();
  auto dtype = dtype_from_onnx(type.elem_type());
  if (!dtype || *dtype == DType::f64)
    return fail(fmt::format("has type {}, which is not supported as an input; cast it to FLOAT",
                            name_of_onnx_type(type.elem_type())));
  if (type.has_shape() && type.shape().dim_size() > kMaxRank)
    return fail(fmt::format("has {} dimensions; at most {} are supported", type.shape().dim_size(),
                            kMaxRank));
  for (const auto& dim : type.shape().dim()) {
    VULTUS_CHECK(check_name(dim.dim_param(), "dimension"));
    if (is_static(dim) && dim.dim_value() <= 0)
      return fail(fmt::format("has a dimension of size {}", dim.dim_value()));
  }
  return {};
}

/// Checks a binding against the declared shape and learns the symbols' sizes.
Result<void> learn_symbols(const onnx::ValueInfoProto& input, const Shape& bound,
                           Symbols& symbols) {
  auto fail = [&](std::string_view what) {
    return Error{Errc::usage, fmt::format("--shape {}={}: {}", input.name(), bound.str(), what)};
  };
  for (int64_t d : bound)
    if (d <= 0) return fail("sizes must be at least 1");
  const auto& type = input.type().tensor_type();
  if (!type.has_shape()) return {};
  if (type.shape().dim_size() != bound.rank())
    return fail(fmt::format("the network declares {} dimensions", type.shape().dim_size()));
  for (int i = 0; i < bound.rank(); ++i) {
    const auto& dim = type.shape().dim(i);
    if (is_static(dim)) {
      // A batch of one may grow; the importer sees to the rest.
      if (i == 0 && dim.dim_value() == 1) continue;
      if (dim.dim_value() != bound[i])
        return fail(fmt::format("dimension {} is fixed at {} in the network", i, dim.dim_value()));
    } else if (!dim.dim_param().empty()) {
      auto [known, added] = symbols.emplace(dim.dim_param(), bound[i]);
      if (!added && known->second != bound[i])
        return fail(fmt::format("'{}' is bound to {} elsewhere", dim.dim_param(), known->second));
    }
  }
  return {};
}

/// "1x3x480x640" with plausible sizes for what is symbolic, as an example to the user.
std::string example_shape(const TypeShape& shape) {
  std::string text;
  for (int i = 0; i < shape.dim_size(); ++i) {
    int64_t size = is_static(shape.dim(i))     ? shape.dim(i).dim_value()
                   : i == 0                    ? 1
                   : i == shape.dim_size() - 1 ? 640
                   : i == shape.dim_size() - 2 ? 480
                                               : 3;
    text += fmt::format("{}{}", i == 0 ? "" : "x", size);
  }
  return text;
}

Result<Shape> resolve(const onnx::ValueInfoProto& input, Symbols& symbols) {
  const auto& type = input.type().tensor_type();
  if (!type.has_shape())
    return Error{Errc::usage, fmt::format("input '{}' has no shape in the file; give it with "
                                          "--shape {}=1x3x480x640",
                                          input.name(), input.name())};
  Shape shape;
  for (int i = 0; i < type.shape().dim_size(); ++i) {
    const auto& dim = type.shape().dim(i);
    auto known = symbols.find(dim.dim_param());
    if (is_static(dim))
      shape.push_back(dim.dim_value());
    else if (!dim.dim_param().empty() && known != symbols.end())
      shape.push_back(known->second);
    else if (i == 0)
      shape.push_back(1);
    else
      return Error{
          Errc::usage,
          fmt::format("dimension {} ('{}') of input '{}' is open; bind it with --shape "
                      "{}={}",
                      i, dim.dim_param(), input.name(), input.name(), example_shape(type.shape()))};
    if (i == 0 && !is_static(dim) && !dim.dim_param().empty())
      symbols.emplace(dim.dim_param(), shape[0]);
  }
  return shape;
}

/// Axis 0 as asked for: set where the file leaves it open, noted where it says 1.
Result<void> set_batch(const onnx::ValueInfoProto& input, int64_t batch, InputSpec& spec) {
  const auto& type = input.type().tensor_type();
  if (spec.shape.rank() == 0) return {};
  if (!type.has_shape() || !is_static(type.shape().dim(0))) {
    if (batch > 0) spec.shape[0] = batch;
    return {};
  }
  const int64_t declared = type.shape().dim(0).dim_value();
  const int64_t wanted = batch > 0 ? batch : spec.shape[0];
  spec.shape[0] = declared;
  if (declared == 1) spec.batch = wanted;
  if (declared == 1 || wanted == declared) return {};
  return Error{Errc::usage, fmt::format("input '{}' has a fixed first size of {}, which cannot "
                                        "become {}",
                                        input.name(), declared, wanted)};
}

}  // namespace

Result<std::vector<InputSpec>> read_inputs(const onnx::GraphProto& graph,
                                           const ShapeBindings& bindings, int64_t batch) {
  std::unordered_set<std::string> initialised;
  for (const auto& tensor : graph.initializer())
    initialised.insert(tensor.name());
  std::vector<const onnx::ValueInfoProto*> inputs;
  std::set<std::string> names;
  for (const auto& input : graph.input()) {
    if (initialised.contains(input.name())) continue;
    VULTUS_CHECK(check_name(input.name(), "input"));
    if (input.name().empty()) return bad_model("has an input without a name");
    if (!names.insert(input.name()).second)
      return bad_model(fmt::format("declares the input '{}' twice", input.name()));
    VULTUS_CHECK(check_type(input));
    inputs.push_back(&input);
  }
  for (const auto& [name, shape] : bindings)
    if (!names.contains(name))
      return Error{Errc::usage, fmt::format("--shape {}={}: the network has no such input; it has: "
                                            "{}",
                                            name, shape.str(), fmt::join(names, ", "))};

  Symbols symbols;
  for (const auto* input : inputs)
    if (auto bound = bindings.find(input->name()); bound != bindings.end())
      VULTUS_CHECK(learn_symbols(*input, bound->second, symbols));

  std::vector<InputSpec> specs;
  for (const auto* input : inputs) {
    InputSpec spec{input->name(), *dtype_from_onnx(input->type().tensor_type().elem_type()), {}};
    // Halves are widened on import, weights and activations alike.
    if (spec.dtype == DType::f16) spec.dtype = DType::f32;
    if (auto bound = bindings.find(spec.name); bound != bindings.end()) {
      spec.shape = bound->second;
    } else {
      VULTUS_TRY(spec.shape, resolve(*input, symbols));
    }
    VULTUS_CHECK(set_batch(*input, batch, spec));
    auto elements = checked_elements(spec.shape.dims());
    if (!elements || *elements * static_cast<int64_t>(size_of(spec.dtype)) > kMaxTensorBytes)
      return bad_model(fmt::format("input '{}' of size {} is over {} GiB, which is the limit",
                                   spec.name, spec.shape.str(), kMaxTensorBytes >> 30));
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace vultus
