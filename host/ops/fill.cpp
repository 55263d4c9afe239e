#include <fmt/format.h>

#include <cmath>
#include <cstring>

#include "host/ops/arithmetic.hpp"
#include "host/ops/cast.hpp"
#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

const Tensor* value_of(const Node& node) {
  auto it = node.attributes.find("value");
  if (it == node.attributes.end()) return nullptr;
  auto* tensor = std::get_if<std::shared_ptr<const Tensor>>(&it->second);
  return tensor ? tensor->get() : nullptr;
}

Result<void> infer_constant_of_shape(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  VULTUS_TRY(auto dims, node.integers(0, "the shape"));
  VULTUS_TRY(Shape out, node.make_shape(dims));
  const Tensor* value = value_of(node.node());
  if (value && value->shape().elements() != 1)
    return node.fail(fmt::format("value has {} elements, expected one", value->shape().elements()));
  return node.set(0, value ? value->dtype() : DType::f32, out);
}

Result<void> eval_constant_of_shape(Eval& node) {
  const TensorView& out = node.out[0];
  const Tensor* value = value_of(node.node);
  if (!value) {
    std::memset(out.bytes, 0, out.size_bytes());
    return {};
  }
  Walk<2> walk;
  walk.add(out.shape.elements(), {0, 1});
  copy_strided(value->bytes(), out.bytes, walk, size_of(out.dtype));
  return {};
}

Result<void> infer_range(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(3, 3));
  VULTUS_CHECK(node.expect_type(0, {DType::f32, DType::f64, DType::i32, DType::i64}));
  double bounds[3];
  for (size_t i = 0; i < 3; ++i) {
    const Tensor* t = node.constant(i);
    if (!t || t->shape().elements() != 1 || t->dtype() != node.dtype(0))
      return node.fail("start, limit and delta must be constant scalars of one type");
    bounds[i] =
        visit_number(t->dtype(), [&]<class T>() { return static_cast<double>(t->as<T>()[0]); });
  }
  const double count = std::ceil((bounds[1] - bounds[0]) / bounds[2]);
  if (bounds[2] == 0 || !std::isfinite(count) || count > 0x1p40)
    return node.fail(
        fmt::format("from {} to {} by {} has no end", bounds[0], bounds[1], bounds[2]));
  return node.set(0, node.dtype(0), {std::max<int64_t>(0, static_cast<int64_t>(count))});
}

Result<void> eval_range(Eval& node) {
  visit_number(node.out[0].dtype, [&]<class T>() {
    const T start = node.in[0].as<const T>()[0], delta = node.in[2].as<const T>()[0];
    auto out = node.out[0].as<T>();
    for (size_t i = 0; i < out.size(); ++i)
      out[i] = add(start, multiply(static_cast<T>(i), delta));
  });
  return {};
}

Result<void> infer_eye(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  if (node.shape(0).rank() != 2)
    return node.fail(fmt::format("input has rank {}, expected 2", node.shape(0).rank()));
  DType dtype = node.dtype(0);
  if (node.node().has("dtype")) {
    auto named = dtype_of_onnx(node.node().integer("dtype", 1));
    if (!named)
      return node.fail(
          fmt::format("ONNX type {} is not supported", node.node().integer("dtype", 1)));
    dtype = *named;
  }
  if (dtype != DType::f32 && dtype != DType::f64 && dtype != DType::i32 && dtype != DType::i64)
    return node.fail(fmt::format("type {} is not supported", name_of(dtype)));
  return node.set(0, dtype, node.shape(0));
}

Result<void> eval_eye(Eval& node) {
  const int64_t rows = node.out[0].shape[0], columns = node.out[0].shape[1];
  const int64_t k = std::clamp(node.node.integer("k", 0), -rows, columns);
  visit_number(node.out[0].dtype, [&]<class T>() {
    auto out = node.out[0].as<T>();
    std::fill(out.begin(), out.end(), T{0});
    for (int64_t r = std::max<int64_t>(0, -k); r < rows && r + k < columns; ++r)
      out[static_cast<size_t>(r * columns + r + k)] = T{1};
  });
  return {};
}

const Register constant_of_shape({.name = "ConstantOfShape",
                                  .since = 9,
                                  .infer = infer_constant_of_shape,
                                  .eval = eval_constant_of_shape});
const Register range({.name = "Range", .since = 11, .infer = infer_range, .eval = eval_range});
const Register eye({.name = "EyeLike", .since = 9, .infer = infer_eye, .eval = eval_eye});

}  // namespace
}  // namespace vultus
