#include <fmt/format.h>

#include "host/cpu/kernels.hpp"
#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

std::vector<int64_t> permutation(const Node& node, int rank) {
  std::vector<int64_t> reversed;
  for (int d = rank - 1; d >= 0; --d)
    reversed.push_back(d);
  return node.integers("perm", reversed);
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(1, 1));
  const Shape& x = node.shape(0);
  auto perm = permutation(node.node(), x.rank());
  if (perm.size() != static_cast<size_t>(x.rank()))
    return node.fail(fmt::format("perm has {} entries for rank {}", perm.size(), x.rank()));
  VULTUS_CHECK(node.axes(perm, x.rank()));
  Shape out = x;
  for (int d = 0; d < x.rank(); ++d) {
    const int64_t from = perm[static_cast<size_t>(d)];
    if (from < 0) return node.fail(fmt::format("perm has the negative entry {}", from));
    out[d] = x[static_cast<int>(from)];
  }
  return node.set(0, node.dtype(0), out);
}

Result<Prepared> prepare(const Eval& node) {
  const TensorView &x = node.in[0], &out = node.out[0];
  auto perm = permutation(node.node, x.shape.rank());
  const Shape from = x.shape.strides(), to = out.shape.strides();
  Walk<2> walk;
  for (int d = 0; d < out.shape.rank(); ++d)
    walk.add(out.shape[d], {from[static_cast<int>(perm[static_cast<size_t>(d)])], to[d]});
  return Prepared{[walk, size = size_of(x.dtype)](Eval& run) -> Result<void> {
    copy_strided(run.in[0].bytes, run.out[0].bytes, walk, size);
    return {};
  }};
}

const Register transpose(
    {.name = "Transpose", .infer = infer, .prepare = prepare, .build = cpu::build_transpose});

}  // namespace
}  // namespace vultus
