#include <fmt/format.h>

#include <cstring>

#include "host/cpu/kernels.hpp"
#include "host/ops/op.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1 << 16));
  if (!node.node().has("axis")) return node.fail("attribute axis is missing");
  Shape out = node.shape(0);
  VULTUS_TRY(int axis, node.axis(node.node().integer("axis", 0), out.rank()));
  for (size_t i = 1; i < node.inputs(); ++i) {
    if (!node.has(i)) return node.fail(fmt::format("input {} is missing", i));
    const Shape& x = node.shape(i);
    bool fits = x.rank() == out.rank() && node.dtype(i) == node.dtype(0);
    for (int d = 0; fits && d < out.rank(); ++d)
      fits = d == axis || x[d] == out[d];
    if (!fits)
      return node.fail(fmt::format("input {} ({} {}) does not fit input 0 ({} {}) along axis {}", i,
                                   x.str(), name_of(node.dtype(i)), node.shape(0).str(),
                                   name_of(node.dtype(0)), axis));
    out[axis] += x[axis];
  }
  return node.set(0, node.dtype(0), out);
}

Result<void> eval(Eval& node) {
  const Shape& shape = node.out[0].shape;
  int64_t axis = node.node.integer("axis", 0);
  axis = axis < 0 ? axis + shape.rank() : axis;
  int64_t outer = 1;
  for (int d = 0; d < axis; ++d)
    outer *= shape[d];
  if (shape.elements() == 0) return {};
  const size_t row = node.out[0].size_bytes() / static_cast<size_t>(outer);
  std::byte* to = node.out[0].bytes;
  for (const TensorView& x : node.in) {
    const size_t piece = x.size_bytes() / static_cast<size_t>(outer);
    for (int64_t i = 0; i < outer; ++i)
      std::memcpy(to + static_cast<size_t>(i) * row, x.bytes + static_cast<size_t>(i) * piece,
                  piece);
    to += piece;
  }
  return {};
}

const Register concat(
    {.name = "Concat", .since = 4, .infer = infer, .eval = eval, .build = cpu::build_concat});

}  // namespace
}  // namespace vultus
