#include <fmt/format.h>

#include "host/cpu/kernels.hpp"
#include "host/ops/op.hpp"
#include "host/ops/pointwise_program.hpp"
#include "host/ops/strided.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  if (node.inputs() == 0) return node.fail("it has no inputs");
  VULTUS_TRY(PointwiseProgram program, pointwise_program(node.node()));
  Shape out;
  for (size_t i = 0; i < node.inputs(); ++i) {
    if (!node.has(i)) return node.fail(fmt::format("input {} is missing", i));
    VULTUS_CHECK(node.expect_type(i, {DType::f32, DType::boolean}));
    auto both = broadcast(out, node.shape(i));
    if (!both)
      return node.fail(
          fmt::format("shapes {} and {} do not broadcast", out.str(), node.shape(i).str()));
    out = *both;
  }
  for (size_t i = 0; i < program.types.size(); ++i)
    VULTUS_CHECK(node.set(i, program.types[i], out));
  return {};
}

Result<Prepared> prepare(const Eval& node) {
  VULTUS_TRY(PointwiseProgram program, pointwise_program(node.node));
  const Shape shape = node.out[0].shape;
  std::vector<PointwiseOperand> inputs, results;
  for (const TensorView& in : node.in)
    inputs.push_back({nullptr, in.dtype, broadcast_strides(in.shape, shape)});
  for (const TensorView& out : node.out)
    results.push_back({nullptr, out.dtype, {}});
  return Prepared{[=](Eval& run) mutable -> Result<void> {
    for (size_t i = 0; i < inputs.size(); ++i)
      inputs[i].data = run.in[i].bytes;
    for (size_t i = 0; i < results.size(); ++i)
      results[i].data = run.out[i].bytes;
    run_pointwise(program, shape.dims(), inputs, results);
    return {};
  }};
}

const Register pointwise({.name = "Pointwise",
                          .infer = infer,
                          .prepare = prepare,
                          .build = cpu::build_pointwise,
                          .limits = "ours: a chain of element-wise operators"});

}  // namespace
}  // namespace vultus
