#include <fmt/format.h>

#include <cstring>

#include "host/cpu/kernels.hpp"
#include "host/ops/op.hpp"

namespace vultus {
namespace {

Result<void> infer_reshape(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 2));
  VULTUS_TRY(auto dims, node.integers(1, "the target shape"));
  const Shape& x = node.shape(0);
  const bool zero_is_zero = node.node().integer("allowzero", 0) != 0;
  int64_t known = 1;
  size_t open = dims.size();
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && !zero_is_zero) {
      if (i >= static_cast<size_t>(x.rank()))
        return node.fail(fmt::format("target size 0 at axis {} has no input axis to copy", i));
      dims[i] = x[static_cast<int>(i)];
    }
    if (dims[i] == -1) {
      if (open != dims.size()) return node.fail("the target shape has more than one -1");
      open = i;
    }
  }
  std::vector<int64_t> given = dims;
  if (open != dims.size()) given[open] = 1;
  auto product = checked_elements(given);
  if (!product)
    return node.fail(fmt::format("target sizes are negative or too large ({} axes)", dims.size()));
  known = *product;
  if (open != dims.size()) {
    if (known == 0 || x.elements() % known != 0)
      return node.fail(fmt::format("{} elements cannot be divided by the target's other sizes ({})",
                                   x.elements(), known));
    dims[open] = x.elements() / known;
  } else if (known != x.elements()) {
    return node.fail(
        fmt::format("{} has {} elements, the target shape {}", x.str(), x.elements(), known));
  }
  VULTUS_TRY(Shape out, node.make_shape(dims));
  return node.set(0, node.dtype(0), out);
}

Result<void> infer_flatten(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  const Shape& x = node.shape(0);
  int64_t axis = node.node().integer("axis", 1);
  if (axis < -x.rank() || axis > x.rank())
    return node.fail(fmt::format("axis {} is out of range for rank {}", axis, x.rank()));
  axis = axis < 0 ? axis + x.rank() : axis;
  Shape out{1, 1};
  for (int d = 0; d < x.rank(); ++d)
    out[d < axis ? 0 : 1] *= x[d];
  return node.set(0, node.dtype(0), out);
}

// Axes are an attribute before opset 13, an input since.
Result<std::vector<int64_t>> axes_argument(Infer& node) {
  if (node.node().opset < 13) return node.node().integers("axes");
  if (!node.has(1)) return std::vector<int64_t>{};
  return node.integers(1, "axes");
}

Result<void> infer_squeeze(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, node.node().opset < 13 ? 1 : 2));
  VULTUS_TRY(auto list, axes_argument(node));
  const Shape& x = node.shape(0);
  VULTUS_TRY(auto axes, node.axes(list, x.rank()));
  Shape out;
  auto next = axes.begin();
  for (int d = 0; d < x.rank(); ++d) {
    bool named = next != axes.end() && *next == d;
    if (named) {
      if (x[d] != 1)
        return node.fail(fmt::format("axis {} of {} has size {}, expected 1", d, x.str(), x[d]));
      ++next;
    } else if (!axes.empty() || x[d] != 1) {
      out.push_back(x[d]);
    }
  }
  return node.set(0, node.dtype(0), out);
}

Result<void> infer_unsqueeze(Infer& node) {
  const bool input = node.node().opset >= 13;
  VULTUS_CHECK(node.expect_inputs(input ? 2 : 1, input ? 2 : 1));
  VULTUS_TRY(auto list, axes_argument(node));
  if (list.empty()) return node.fail("axes are missing");
  const Shape& x = node.shape(0);
  const int64_t rank = x.rank() + static_cast<int64_t>(list.size());
  if (rank > kMaxRank)
    return node.fail(
        fmt::format("output would have rank {}, at most {} is supported", rank, kMaxRank));
  VULTUS_TRY(auto axes, node.axes(list, static_cast<int>(rank)));
  Shape out;
  auto next = axes.begin();
  int from = 0;
  for (int d = 0; d < rank; ++d) {
    bool named = next != axes.end() && *next == d;
    if (named) ++next;
    out.push_back(named ? 1 : x[from++]);
  }
  return node.set(0, node.dtype(0), out);
}

Result<void> infer_same(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  return node.set(0, node.dtype(0), node.shape(0));
}

Result<void> infer_dropout(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 3));
  if (node.has(2)) {
    const Tensor* training = node.constant(2);
    if (!training || training->dtype() != DType::boolean || training->shape().elements() != 1)
      return node.fail("training_mode must be a constant boolean");
    if (training->as<bool>()[0]) return node.fail("training mode is not supported");
  }
  VULTUS_CHECK(node.set(1, DType::boolean, node.shape(0)));
  return node.set(0, node.dtype(0), node.shape(0));
}

Result<void> eval_copy(Eval& node) {
  std::memcpy(node.out[0].bytes, node.in[0].bytes, node.out[0].size_bytes());
  return {};
}

Result<void> eval_dropout(Eval& node) {
  if (node.out.size() > 1 && node.out[1].bytes)
    std::fill(node.out[1].as<bool>().begin(), node.out[1].as<bool>().end(), true);
  return eval_copy(node);
}

const Register reshape({.name = "Reshape",
                        .since = 5,
                        .infer = infer_reshape,
                        .eval = eval_copy,
                        .build = cpu::build_reshape});
const Register flatten(
    {.name = "Flatten", .infer = infer_flatten, .eval = eval_copy, .build = cpu::build_reshape});
const Register squeeze(
    {.name = "Squeeze", .infer = infer_squeeze, .eval = eval_copy, .build = cpu::build_reshape});
const Register unsqueeze({.name = "Unsqueeze",
                          .infer = infer_unsqueeze,
                          .eval = eval_copy,
                          .build = cpu::build_reshape});
const Register identity(
    {.name = "Identity", .infer = infer_same, .eval = eval_copy, .build = cpu::build_reshape});
const Register dropout({.name = "Dropout",
                        .since = 7,
                        .infer = infer_dropout,
                        .eval = eval_dropout,
                        .limits = "inference only: passes its input on"});

}  // namespace
}  // namespace vultus
