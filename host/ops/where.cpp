#include <fmt/format.h>

#include "host/ops/op.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(3, 3));
  VULTUS_CHECK(node.expect_type(0, {DType::boolean}));
  if (node.dtype(1) != node.dtype(2))
    return node.fail(fmt::format("the alternatives have types {} and {}", name_of(node.dtype(1)),
                                 name_of(node.dtype(2))));
  auto out = broadcast(node.shape(1), node.shape(2));
  if (out) out = broadcast(*out, node.shape(0));
  if (!out)
    return node.fail(fmt::format("shapes {}, {} and {} do not broadcast", node.shape(0).str(),
                                 node.shape(1).str(), node.shape(2).str()));
  return node.set(0, node.dtype(1), *out);
}

template <class T>
void select(const Eval& node) {
  const bool* condition = reinterpret_cast<const bool*>(node.in[0].bytes);
  const T* yes = reinterpret_cast<const T*>(node.in[1].bytes);
  const T* no = reinterpret_cast<const T*>(node.in[2].bytes);
  T* out = reinterpret_cast<T*>(node.out[0].bytes);
  auto walk =
      broadcast_walk<3>({node.in[0].shape, node.in[1].shape, node.in[2].shape}, node.out[0].shape);
  for_runs(walk, [=](const auto& at, const auto& step, int64_t n) {
    for (int64_t i = 0; i < n; ++i)
      out[at[3] + i * step[3]] =
          condition[at[0] + i * step[0]] ? yes[at[1] + i * step[1]] : no[at[2] + i * step[2]];
  });
}

Result<void> eval(Eval& node) {
  switch (size_of(node.out[0].dtype)) {
    case 1:
      select<uint8_t>(node);
      break;
    case 2:
      select<uint16_t>(node);
      break;
    case 4:
      select<uint32_t>(node);
      break;
    default:
      select<uint64_t>(node);
  }
  return {};
}

const Register where({.name = "Where", .since = 9, .infer = infer, .eval = eval});

}  // namespace
}  // namespace vultus
