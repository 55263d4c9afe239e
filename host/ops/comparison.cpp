#include <fmt/format.h>

#include <functional>

#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

Result<void> infer_pair(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  if (node.dtype(0) != node.dtype(1))
    return node.fail(
        fmt::format("inputs have types {} and {}", name_of(node.dtype(0)), name_of(node.dtype(1))));
  auto out = broadcast(node.shape(0), node.shape(1));
  if (!out)
    return node.fail(
        fmt::format("shapes {} and {} do not broadcast", node.shape(0).str(), node.shape(1).str()));
  return node.set(0, DType::boolean, *out);
}

Result<void> infer_order(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  VULTUS_CHECK(node.expect_type(0, {DType::f32, DType::f64, DType::i32, DType::i64}));
  return infer_pair(node);
}

Result<void> infer_equal(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  VULTUS_CHECK(
      node.expect_type(0, {DType::f32, DType::f64, DType::i32, DType::i64, DType::boolean}));
  return infer_pair(node);
}

Result<void> infer_logical(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  VULTUS_CHECK(node.expect_type(0, {DType::boolean}));
  return infer_pair(node);
}

Result<void> infer_not(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  VULTUS_CHECK(node.expect_type(0, {DType::boolean}));
  return node.set(0, DType::boolean, node.shape(0));
}

template <class F>
Result<void> eval_order(Eval& node) {
  visit_number(node.in[0].dtype, [&]<class T>() {
    apply_broadcast<T, bool>(node.in[0], node.in[1], node.out[0], F{});
  });
  return {};
}

template <class F>
Result<void> eval_logical(Eval& node) {
  apply_broadcast<bool, bool>(node.in[0], node.in[1], node.out[0],
                              [](bool a, bool b) -> bool { return F{}(a, b); });
  return {};
}

Result<void> eval_equal(Eval& node) {
  if (node.in[0].dtype == DType::boolean) return eval_logical<std::equal_to<>>(node);
  return eval_order<std::equal_to<>>(node);
}

Result<void> eval_not(Eval& node) {
  apply_unary<bool, bool>(node.in[0], node.out[0], std::logical_not<>{});
  return {};
}

const Register equal({.name = "Equal", .since = 7, .infer = infer_equal, .eval = eval_equal});
const Register greater(
    {.name = "Greater", .since = 7, .infer = infer_order, .eval = eval_order<std::greater<>>});
const Register less(
    {.name = "Less", .since = 7, .infer = infer_order, .eval = eval_order<std::less<>>});
const Register greater_or_equal({.name = "GreaterOrEqual",
                                 .since = 12,
                                 .infer = infer_order,
                                 .eval = eval_order<std::greater_equal<>>});
const Register less_or_equal({.name = "LessOrEqual",
                              .since = 12,
                              .infer = infer_order,
                              .eval = eval_order<std::less_equal<>>});
const Register both(
    {.name = "And", .since = 7, .infer = infer_logical, .eval = eval_logical<std::logical_and<>>});
const Register either(
    {.name = "Or", .since = 7, .infer = infer_logical, .eval = eval_logical<std::logical_or<>>});
const Register exclusive(
    {.name = "Xor", .since = 7, .infer = infer_logical, .eval = eval_logical<std::not_equal_to<>>});
const Register negation({.name = "Not", .infer = infer_not, .eval = eval_not});

}  // namespace
}  // namespace vultus
