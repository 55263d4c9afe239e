#include <fmt/format.h>

#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

Result<int64_t> block_of(const Infer& node) {
  const int64_t block = node.node().integer("blocksize", 0);
  if (block < 1 || block > 1 << 15)
    return node.fail(fmt::format("blocksize {} is out of range", block));
  if (node.shape(0).rank() != 4)
    return node.fail(fmt::format("input {} must have rank 4", node.shape(0).str()));
  return block;
}

Result<void> infer_to_space(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  VULTUS_TRY(int64_t b, block_of(node));
  const Shape& x = node.shape(0);
  if (x[1] % (b * b) != 0)
    return node.fail(fmt::format("{} channels are no multiple of {} x {}", x[1], b, b));
  const std::string mode = node.node().text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") return node.fail(fmt::format("mode '{}' is unknown", mode));
  return node.set(0, node.dtype(0), {x[0], x[1] / (b * b), x[2] * b, x[3] * b});
}

Result<void> infer_to_depth(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  VULTUS_TRY(int64_t b, block_of(node));
  const Shape& x = node.shape(0);
  if (x[2] % b != 0 || x[3] % b != 0)
    return node.fail(fmt::format("blocksize {} does not divide {} x {}", b, x[2], x[3]));
  return node.set(0, node.dtype(0), {x[0], x[1] * b * b, x[2] / b, x[3] / b});
}

// Walk over deep [N, block row, block column, C, h, w] (CRD: [N, C, block row, block column, h, w])
// and wide [N, C, h * b, w * b].
Walk<2> pairing(const Shape& deep, const Shape& wide, int64_t b, bool crd, bool from_deep) {
  const Shape s = deep.strides(), t = wide.strides();
  const int64_t channels = wide[1];
  const int64_t channel = crd ? b * b * s[1] : s[1];
  const int64_t column = crd ? s[1] : channels * s[1];
  Walk<2> walk;
  auto add = [&](int64_t dim, int64_t of_deep, int64_t of_wide) {
    walk.add(dim, from_deep ? std::array{of_deep, of_wide} : std::array{of_wide, of_deep});
  };
  add(deep[0], s[0], t[0]);
  add(channels, channel, t[1]);
  add(deep[2], s[2], b * t[2]);
  add(b, b * column, t[2]);
  add(deep[3], s[3], b * t[3]);
  add(b, column, t[3]);
  return walk;
}

Result<void> eval_to_space(Eval& node) {
  const TensorView &x = node.in[0], &out = node.out[0];
  const bool crd = node.node.text("mode", "DCR") == "CRD";
  copy_strided(x.bytes, out.bytes,
               pairing(x.shape, out.shape, node.node.integer("blocksize", 1), crd, true),
               size_of(x.dtype));
  return {};
}

Result<void> eval_to_depth(Eval& node) {
  const TensorView &x = node.in[0], &out = node.out[0];
  copy_strided(x.bytes, out.bytes,
               pairing(out.shape, x.shape, node.node.integer("blocksize", 1), false, false),
               size_of(x.dtype));
  return {};
}

const Register to_space({.name = "DepthToSpace", .infer = infer_to_space, .eval = eval_to_space});
const Register to_depth({.name = "SpaceToDepth", .infer = infer_to_depth, .eval = eval_to_depth});

}  // namespace
}  // namespace vultus
