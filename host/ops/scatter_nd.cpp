#include <fmt/format.h>

#include <cstring>

#include "host/ops/op.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(3, 3));
  VULTUS_CHECK(node.expect_type(1, {DType::i64}));
  const Shape &x = node.shape(0), &indices = node.shape(1), &updates = node.shape(2);
  if (node.node().text("reduction", "none") != "none")
    return node.fail("reduction other than none is not supported");
  if (node.dtype(2) != node.dtype(0)) return node.fail("data and updates have different types");
  if (x.rank() == 0 || indices.rank() == 0)
    return node.fail("data and indices must have at least one axis");
  const int64_t depth = indices.back();
  if (depth < 1 || depth > x.rank())
    return node.fail(fmt::format("index tuples of {} do not fit data {}", depth, x.str()));
  std::vector<int64_t> wanted(indices.begin(), indices.end() - 1);
  wanted.insert(wanted.end(), x.begin() + depth, x.end());
  VULTUS_TRY(Shape expected, node.make_shape(wanted));
  if (updates != expected)
    return node.fail(
        fmt::format("updates have shape {}, expected {}", updates.str(), expected.str()));
  return node.set(0, node.dtype(0), x);
}

Result<void> eval(Eval& node) {
  const Shape &x = node.in[0].shape, strides = x.strides();
  const auto depth = static_cast<int>(node.in[1].shape.back());
  const auto indices = node.in[1].as<const int64_t>();
  const size_t bytes = size_of(node.in[0].dtype);
  const auto block = static_cast<size_t>(strides[depth - 1]) * bytes;
  std::memcpy(node.out[0].bytes, node.in[0].bytes, node.out[0].size_bytes());
  const size_t tuples = indices.size() / static_cast<size_t>(depth);
  for (size_t t = 0; t < tuples; ++t) {
    int64_t to = 0;
    for (int d = 0; d < depth; ++d) {
      const int64_t i = indices[t * static_cast<size_t>(depth) + static_cast<size_t>(d)];
      if (i < -x[d] || i >= x[d])
        return node.fail(fmt::format("index {} is out of range for size {}", i, x[d]));
      to += (i < 0 ? i + x[d] : i) * strides[d];
    }
    std::memcpy(node.out[0].bytes + static_cast<size_t>(to) * bytes, node.in[2].bytes + t * block,
                block);
  }
  return {};
}

const Register scatter(
    {.name = "ScatterND", .since = 11, .infer = infer, .eval = eval, .limits = "reduction none"});

}  // namespace
}  // namespace vultus
