#include "host/core/shape.hpp"

#include <algorithm>

#include "host/ops/op.hpp"

namespace vultus {
namespace {

struct Interval {
  int64_t start, end;
};

// Opset 15 added the bounds; they clamp as in a slice.
Interval bounds(const Node& node, int64_t rank) {
  auto clamp = [rank](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + rank : i, 0, rank); };
  int64_t start = clamp(node.integer("start", 0));
  return {start, std::max(start, clamp(node.integer("end", rank)))};
}

Result<void> infer_shape(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  auto [start, end] = bounds(node.node(), node.shape(0).rank());
  return node.set(0, DType::i64, {end - start});
}

Result<void> eval_shape(Eval& node) {
  const Shape& x = node.in[0].shape;
  int64_t start = bounds(node.node, x.rank()).start;
  auto out = node.out[0].as<int64_t>();
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = x[static_cast<int>(start) + static_cast<int>(i)];
  return {};
}

Result<void> infer_size(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  return node.set(0, DType::i64, {});
}

Result<void> eval_size(Eval& node) {
  node.out[0].as<int64_t>()[0] = node.in[0].shape.elements();
  return {};
}

const Register shape({.name = "Shape", .infer = infer_shape, .eval = eval_shape});
const Register size({.name = "Size", .infer = infer_size, .eval = eval_size});

}  // namespace
}  // namespace vultus
