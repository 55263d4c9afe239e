#include <fmt/format.h>

#include <cstring>

#include "host/ops/op.hpp"

namespace vultus {
namespace {

// Sizes along the axis: an attribute before opset 13, an input since; equal parts when absent.
Result<std::vector<int64_t>> parts(const Infer& node, int64_t size) {
  const Node& n = node.node();
  const auto outputs = static_cast<int64_t>(n.outputs.size());
  std::vector<int64_t> sizes = n.integers("split");
  if (n.opset >= 13) {
    sizes.clear();
    if (node.has(1)) {
      VULTUS_TRY(sizes, node.integers(1, "split"));
    }
  }
  if (sizes.empty()) {
    if (n.integer("num_outputs", outputs) != outputs)
      return node.fail(fmt::format("num_outputs is {}, but the node has {} outputs",
                                   n.integer("num_outputs", outputs), outputs));
    // Opset 18 lets the last part be smaller.
    const int64_t part = (size + outputs - 1) / outputs;
    sizes.assign(static_cast<size_t>(outputs), part);
    sizes.back() = size - part * (outputs - 1);
    if (sizes.back() < 0 || (n.opset < 18 && sizes.back() != part))
      return node.fail(fmt::format("size {} cannot be split into {} equal parts", size, outputs));
  }
  if (static_cast<int64_t>(sizes.size()) != outputs)
    return node.fail(fmt::format("{} split sizes for {} outputs", sizes.size(), outputs));
  int64_t left = size;
  for (int64_t s : sizes) {
    if (s < 0 || s > left)
      return node.fail(fmt::format("split size {} does not fit axis size {}", s, size));
    left -= s;
  }
  if (left != 0)
    return node.fail(fmt::format("split sizes sum to {}, the axis has {}", size - left, size));
  return sizes;
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, node.node().opset < 13 ? 1 : 2));
  Shape out = node.shape(0);
  VULTUS_TRY(int axis, node.axis(node.node().integer("axis", 0), out.rank()));
  VULTUS_TRY(auto sizes, parts(node, out[axis]));
  for (size_t i = 0; i < sizes.size(); ++i) {
    out[axis] = sizes[i];
    VULTUS_CHECK(node.set(i, node.dtype(0), out));
  }
  return {};
}

Result<void> eval(Eval& node) {
  const TensorView& x = node.in[0];
  int64_t axis = node.node.integer("axis", 0);
  axis = axis < 0 ? axis + x.shape.rank() : axis;
  int64_t outer = 1;
  for (int d = 0; d < axis; ++d)
    outer *= x.shape[d];
  if (x.shape.elements() == 0) return {};
  const size_t row = x.size_bytes() / static_cast<size_t>(outer);
  size_t from = 0;
  for (const TensorView& out : node.out) {
    const size_t piece = out.size_bytes() / static_cast<size_t>(outer);
    for (size_t i = 0; out.bytes && i < static_cast<size_t>(outer); ++i)
      std::memcpy(out.bytes + i * piece, x.bytes + i * row + from, piece);
    from += piece;
  }
  return {};
}

const Register split({.name = "Split", .since = 2, .infer = infer, .eval = eval});

}  // namespace
}  // namespace vultus
