#include "host/ops/cast.hpp"

#include <fmt/format.h>

#include "host/core/half.hpp"
#include "host/core/parallel.hpp"
#include "host/ops/arithmetic.hpp"
#include "host/ops/op.hpp"

namespace vultus {

std::optional<DType> dtype_of_onnx(int64_t type) {
  switch (type) {
    case 1:
      return DType::f32;
    case 2:
      return DType::u8;
    case 3:
      return DType::i8;
    case 6:
      return DType::i32;
    case 7:
      return DType::i64;
    case 9:
      return DType::boolean;
    case 10:
      return DType::f16;
    case 11:
      return DType::f64;
    default:
      return std::nullopt;
  }
}

namespace {

struct Half {
  uint16_t bits;
};

template <class U, class T>
U convert(T value) {
  if constexpr (std::is_same_v<T, Half>) {
    return convert<U>(float_from_half(value.bits));
  } else if constexpr (std::is_same_v<U, Half>) {
    return {half_from_float(static_cast<float>(value))};
  } else if constexpr (std::is_same_v<U, bool>) {
    return value != T{0};
  } else if constexpr (std::is_floating_point_v<T> && std::is_integral_v<U>) {
    // ONNX leaves values out of range open; C++ makes them undefined.
    return saturate<U>(static_cast<double>(value));
  } else {
    return static_cast<U>(value);
  }
}

template <class F>
void visit_any(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32:
      return f.template operator()<float>();
    case DType::f16:
      return f.template operator()<Half>();
    case DType::f64:
      return f.template operator()<double>();
    case DType::i32:
      return f.template operator()<int32_t>();
    case DType::i64:
      return f.template operator()<int64_t>();
    case DType::u8:
      return f.template operator()<uint8_t>();
    case DType::i8:
      return f.template operator()<int8_t>();
    case DType::boolean:
      return f.template operator()<bool>();
  }
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  const int64_t to = node.node().integer("to", 0);
  auto dtype = dtype_of_onnx(to);
  if (!dtype)
    return node.fail(fmt::format(
        "ONNX type {} is not supported (float, double, float16, int8, uint8, int32, int64, bool "
        "are)",
        to));
  return node.set(0, *dtype, node.shape(0));
}

Result<void> eval(Eval& node) {
  const TensorView &x = node.in[0], &out = node.out[0];
  visit_any(x.dtype, [&]<class T>() {
    visit_any(out.dtype, [&]<class U>() {
      const T* from = reinterpret_cast<const T*>(x.bytes);
      U* to = reinterpret_cast<U*>(out.bytes);
      parallel_for(out.shape.elements(), 2, [=](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
          to[i] = convert<U>(from[i]);
      });
    });
  });
  return {};
}

const Register cast({.name = "Cast", .since = 6, .infer = infer, .eval = eval});

}  // namespace
}  // namespace vultus
