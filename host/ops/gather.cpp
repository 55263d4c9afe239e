#include <fmt/format.h>

#include <cstring>

#include "host/core/parallel.hpp"
#include "host/ops/op.hpp"

namespace vultus {
namespace {

Result<void> check_indices(const Eval& node, int64_t size) {
  const auto count = static_cast<size_t>(node.in[1].shape.elements());
  for (size_t k = 0; k < count; ++k) {
    const int64_t i = node.integer(1, k);
    if (i < -size || i >= size)
      return node.fail(fmt::format("index {} is out of range for size {}", i, size));
  }
  return {};
}

/// Index `k` as 0..size-1.
int64_t index_at(const Eval& node, int64_t k, int64_t size) {
  const int64_t i = node.integer(1, static_cast<size_t>(k));
  return i < 0 ? i + size : i;
}

Result<void> infer_gather(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  VULTUS_CHECK(node.expect_type(1, {DType::i64, DType::i32}));
  const Shape& x = node.shape(0);
  VULTUS_TRY(int axis, node.axis(node.node().integer("axis", 0), x.rank()));
  std::vector<int64_t> dims(x.begin(), x.begin() + axis);
  dims.insert(dims.end(), node.shape(1).begin(), node.shape(1).end());
  dims.insert(dims.end(), x.begin() + axis + 1, x.end());
  VULTUS_TRY(Shape out, node.make_shape(dims));
  return node.set(0, node.dtype(0), out);
}

Result<void> eval_gather(Eval& node) {
  const Shape& x = node.in[0].shape;
  int64_t axis = node.node.integer("axis", 0);
  axis = axis < 0 ? axis + x.rank() : axis;
  const int64_t size = x[static_cast<int>(axis)];
  VULTUS_CHECK(check_indices(node, size));
  int64_t outer = 1, inner = 1;
  for (int d = 0; d < x.rank(); ++d)
    (d < axis ? outer : inner) *= d == axis ? 1 : x[d];
  const auto block = static_cast<size_t>(inner) * size_of(node.in[0].dtype);
  const int64_t count = node.in[1].shape.elements();
  parallel_for(outer * count, inner, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t from = i / count * size + index_at(node, i % count, size);
      std::memcpy(node.out[0].bytes + static_cast<size_t>(i) * block,
                  node.in[0].bytes + static_cast<size_t>(from) * block, block);
    }
  });
  return {};
}

Result<void> infer_elements(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  VULTUS_CHECK(node.expect_type(1, {DType::i64, DType::i32}));
  const Shape& x = node.shape(0);
  const Shape& indices = node.shape(1);
  VULTUS_TRY(int axis, node.axis(node.node().integer("axis", 0), x.rank()));
  bool fits = x.rank() == indices.rank();
  for (int d = 0; fits && d < x.rank(); ++d)
    fits = d == axis || indices[d] <= x[d];
  if (!fits)
    return node.fail(
        fmt::format("indices of shape {} do not lie within {}", indices.str(), x.str()));
  return node.set(0, node.dtype(0), indices);
}

Result<void> eval_elements(Eval& node) {
  const Shape& x = node.in[0].shape;
  const Shape& out = node.out[0].shape;
  int64_t axis = node.node.integer("axis", 0);
  axis = axis < 0 ? axis + x.rank() : axis;
  const int64_t size = x[static_cast<int>(axis)];
  VULTUS_CHECK(check_indices(node, size));
  const Shape strides = x.strides();
  const size_t bytes = size_of(node.in[0].dtype);
  parallel_for(out.elements(), x.rank(), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t rest = i, from = index_at(node, i, size) * strides[static_cast<int>(axis)];
      for (int d = out.rank() - 1; d >= 0; --d) {
        if (d != axis) from += rest % out[d] * strides[d];
        rest /= out[d];
      }
      std::memcpy(node.out[0].bytes + static_cast<size_t>(i) * bytes,
                  node.in[0].bytes + static_cast<size_t>(from) * bytes, bytes);
    }
  });
  return {};
}

Result<void> infer_nd(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  VULTUS_CHECK(node.expect_type(1, {DType::i64}));
  const Shape& x = node.shape(0);
  const Shape& indices = node.shape(1);
  const int64_t batch = node.node().integer("batch_dims", 0);
  if (x.rank() == 0 || indices.rank() == 0)
    return node.fail("data and indices must have at least one axis");
  if (batch < 0 || batch >= std::min(x.rank(), indices.rank()))
    return node.fail(fmt::format("batch_dims {} is out of range", batch));
  for (int d = 0; d < batch; ++d)
    if (x[d] != indices[d])
      return node.fail(fmt::format("batch axis {} is {} in the data and {} in the indices", d, x[d],
                                   indices[d]));
  const int64_t depth = indices.back();
  if (depth < 1 || depth > x.rank() - batch)
    return node.fail(fmt::format("index tuples of {} do not fit data {}", depth, x.str()));
  std::vector<int64_t> dims(indices.begin(), indices.end() - 1);
  dims.insert(dims.end(), x.begin() + batch + depth, x.end());
  VULTUS_TRY(Shape out, node.make_shape(dims));
  return node.set(0, node.dtype(0), out);
}

Result<void> eval_nd(Eval& node) {
  const Shape& x = node.in[0].shape;
  const Shape& shape = node.in[1].shape;
  const auto batch = static_cast<int>(node.node.integer("batch_dims", 0));
  const auto depth = static_cast<int>(shape.back());
  const Shape strides = x.strides();
  const auto indices = node.in[1].as<const int64_t>();
  const int64_t tuples = shape.elements() / depth;
  int64_t batches = 1;
  for (int d = 0; d < batch; ++d)
    batches *= x[d];
  const int64_t batch_stride = batches == 0 ? 0 : x.elements() / batches;
  const auto block = static_cast<size_t>(strides[batch + depth - 1]) * size_of(node.in[0].dtype);
  for (int64_t t = 0; t < tuples; ++t) {
    int64_t from = t / (tuples / batches) * batch_stride;
    for (int d = 0; d < depth; ++d) {
      const int64_t size = x[batch + d];
      const int64_t i = indices[static_cast<size_t>(t * depth + d)];
      if (i < -size || i >= size)
        return node.fail(fmt::format("index {} is out of range for size {}", i, size));
      from += (i < 0 ? i + size : i) * strides[batch + d];
    }
    std::memcpy(node.out[0].bytes + static_cast<size_t>(t) * block,
                node.in[0].bytes + static_cast<size_t>(from) * size_of(node.in[0].dtype), block);
  }
  return {};
}

const Register gather({.name = "Gather", .infer = infer_gather, .eval = eval_gather});
const Register elements(
    {.name = "GatherElements", .since = 11, .infer = infer_elements, .eval = eval_elements});
const Register nd({.name = "GatherND", .since = 11, .infer = infer_nd, .eval = eval_nd});

}  // namespace
}  // namespace vultus
