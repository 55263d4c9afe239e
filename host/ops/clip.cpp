#include <fmt/format.h>

#include <limits>

#include "host/cpu/kernels.hpp"
#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, node.node().opset < 11 ? 1 : 3));
  VULTUS_CHECK(node.expect_type(0, {DType::f32, DType::f64, DType::i32, DType::i64}));
  for (size_t i : {size_t{1}, size_t{2}}) {
    if (!node.has(i)) continue;
    if (node.dtype(i) != node.dtype(0) || node.shape(i).elements() != 1)
      return node.fail(
          fmt::format("bound {} must be one {}", i == 1 ? "min" : "max", name_of(node.dtype(0))));
  }
  return node.set(0, node.dtype(0), node.shape(0));
}

Result<void> eval(Eval& node) {
  visit_number(node.in[0].dtype, [&]<class T>() {
    T low = std::numeric_limits<T>::lowest(), high = std::numeric_limits<T>::max();
    if constexpr (std::is_same_v<T, float>) {
      low = node.node.real("min", low);
      high = node.node.real("max", high);
    }
    if (node.has(1)) low = node.in[1].as<const T>()[0];
    if (node.has(2)) high = node.in[2].as<const T>()[0];
    apply_unary<T, T>(node.in[0], node.out[0],
                      [=](T x) { return std::min(std::max(x, low), high); });
  });
  return {};
}

const Register clip(
    {.name = "Clip", .since = 6, .infer = infer, .eval = eval, .build = cpu::build_unary});

}  // namespace
}  // namespace vultus
