#include <fmt/format.h>

#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

Result<void> infer_expand(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  VULTUS_TRY(auto dims, node.integers(1, "the target shape"));
  VULTUS_TRY(Shape target, node.make_shape(dims));
  auto out = broadcast(node.shape(0), target);
  if (!out)
    return node.fail(
        fmt::format("{} cannot be broadcast to {}", node.shape(0).str(), target.str()));
  return node.set(0, node.dtype(0), *out);
}

Result<void> eval_expand(Eval& node) {
  const TensorView &x = node.in[0], &out = node.out[0];
  copy_strided(x.bytes, out.bytes, broadcast_walk<1>({x.shape}, out.shape), size_of(x.dtype));
  return {};
}

Result<void> infer_tile(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  VULTUS_TRY(auto repeats, node.integers(1, "repeats"));
  Shape out = node.shape(0);
  if (repeats.size() != static_cast<size_t>(out.rank()))
    return node.fail(fmt::format("{} repeats for rank {}", repeats.size(), out.rank()));
  for (int d = 0; d < out.rank(); ++d) {
    const int64_t times = repeats[static_cast<size_t>(d)];
    if (!checked_elements(std::array{times, out[d]}))
      return node.fail(
          fmt::format("axis {} of {} cannot be repeated {} times", d, node.shape(0).str(), times));
    out[d] *= times;
  }
  return node.set(0, node.dtype(0), out);
}

Result<void> eval_tile(Eval& node) {
  const TensorView &x = node.in[0], &out = node.out[0];
  if (out.shape.elements() == 0) return {};
  const Shape from = x.shape.strides(), to = out.shape.strides();
  Walk<2> walk;
  for (int d = 0; d < x.shape.rank(); ++d) {
    walk.add(out.shape[d] / x.shape[d], {0, x.shape[d] * to[d]});
    walk.add(x.shape[d], {from[d], to[d]});
  }
  copy_strided(x.bytes, out.bytes, walk, size_of(x.dtype));
  return {};
}

const Register expand({.name = "Expand", .since = 8, .infer = infer_expand, .eval = eval_expand});
const Register tile({.name = "Tile", .since = 6, .infer = infer_tile, .eval = eval_tile});

}  // namespace
}  // namespace vultus
