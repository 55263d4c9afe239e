#include <fmt/format.h>

#include "host/ops/arithmetic.hpp"
#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  VULTUS_CHECK(node.expect_type(0, {DType::f32, DType::f64, DType::i32, DType::i64}));
  VULTUS_TRY(auto list, node.integers(1, "the axis"));
  if (list.size() != 1) return node.fail(fmt::format("axis has {} elements", list.size()));
  VULTUS_CHECK(node.axis(list[0], node.shape(0).rank()));
  return node.set(0, node.dtype(0), node.shape(0));
}

Result<void> eval(Eval& node) {
  const Shape& x = node.in[0].shape;
  int64_t axis = node.integer(1, 0);
  axis = axis < 0 ? axis + x.rank() : axis;
  const int64_t size = x[static_cast<int>(axis)], step = x.strides()[static_cast<int>(axis)];
  if (x.elements() == 0) return {};
  const bool exclusive = node.node.integer("exclusive", 0) != 0;
  const bool reverse = node.node.integer("reverse", 0) != 0;
  visit_number(node.in[0].dtype, [&]<class T>() {
    const T* from = node.in[0].as<const T>().data();
    T* to = node.out[0].as<T>().data();
    for (int64_t line = 0; line < x.elements() / size; ++line) {
      const int64_t first = line / step * step * size + line % step;
      T sum = 0;
      for (int64_t i = 0; i < size; ++i) {
        const int64_t at = first + (reverse ? size - 1 - i : i) * step;
        const T before = sum;
        sum = add(sum, from[at]);
        to[at] = exclusive ? before : sum;
      }
    }
  });
  return {};
}

const Register cum_sum({.name = "CumSum", .since = 11, .infer = infer, .eval = eval});

}  // namespace
}  // namespace vultus
