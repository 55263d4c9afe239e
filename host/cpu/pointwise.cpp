#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"
#include "host/ops/pointwise_program.hpp"
#include "host/ops/strided.hpp"

namespace vultus::cpu {
namespace {

/// Whether the program leaves zeros zero, so that the padding of blocked layouts stays so.
bool keeps_zeros(const PointwiseProgram& program) {
  std::vector<float> zeros(program.inputs, 0.0f), out(program.results.size());
  std::vector<PointwiseOperand> inputs, results;
  for (float& z : zeros)
    inputs.push_back({reinterpret_cast<std::byte*>(&z), DType::f32, {0}});
  for (float& o : out)
    results.push_back({reinterpret_cast<std::byte*>(&o), DType::f32, {}});
  const int64_t one = 1;
  run_pointwise(program, {&one, 1}, inputs, results);
  return std::ranges::all_of(out, [](float v) { return v == 0; });
}

/// The layout in which most is at hand: that of the first computed input of the result's shape.
Family choose_family(Builder& b, const Node& node, const PointwiseProgram& program) {
  const Shape& out = b.shape(node.outputs[0]);
  Family family = Family::plain;
  bool all_full = true;
  for (ValueId v : node.inputs) {
    const bool full = b.shape(v) == out;
    all_full = all_full && full;
    if (full && !b.graph().constant(v) && family == Family::plain) family = family_of(b.layout(v));
  }
  if (family == Family::other) return Family::plain;
  // The padding of what is broadcast is not there to be read.
  if (is_padded(in_family(family, {out.begin(), out.end()})) &&
      (!all_full || !keeps_zeros(program)))
    return Family::plain;
  return family;
}

/// Axes in the order of memory: [N, groups of channels, H, W, channels of a group].
Shape in_order(Family family, const Shape& axes, int64_t groups, int64_t lanes) {
  if (family == Family::plain) return axes;
  Shape ordered{axes[0], groups};
  for (int d = 2; d < axes.rank(); ++d)
    ordered.push_back(axes[d]);
  ordered.push_back(lanes);
  return ordered;
}

}  // namespace

Result<void> build_pointwise(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  for (ValueId v : node.inputs)
    if (b.graph().value(v).dtype != DType::f32) return b.add_plain(id);
  VULTUS_TRY(PointwiseProgram program, pointwise_program(node));
  const Shape& out = b.shape(node.outputs[0]);
  const std::vector<int64_t> sizes(out.begin(), out.end());
  const Family family = choose_family(b, node, program);
  const Arrangement a =
      family == Family::plain ? Arrangement{1, 1, 1, 1} : arrangement_of(family, out);
  const Shape dims = in_order(family, out, a.groups, a.block);

  std::vector<Operand> operands;
  std::vector<PointwiseOperand> inputs, results;
  for (ValueId v : node.inputs) {
    if (b.shape(v) == out) {
      operands.push_back(
          b.input(v, family == Family::plain ? b.plain_desc(v) : in_family(family, sizes)));
      inputs.push_back({nullptr, DType::f32, dims.strides()});
    } else {
      operands.push_back(b.plain(v));
      const Shape own = broadcast_strides(b.shape(v), out);
      const int64_t lane = family == Family::plain ? 0 : own[1];
      inputs.push_back({nullptr, DType::f32, in_order(family, own, lane * a.block, lane)});
    }
  }
  for (ValueId v : node.outputs) {
    operands.push_back(
        b.output(v, family == Family::plain ? b.plain_desc(v) : in_family(family, sizes)));
    results.push_back({nullptr, DType::f32, {}});
  }
  b.add(id, std::move(operands), [=](std::span<std::byte* const> at) mutable -> Result<void> {
    for (size_t i = 0; i < inputs.size(); ++i)
      inputs[i].data = at[i];
    for (size_t i = 0; i < results.size(); ++i)
      results[i].data = at[inputs.size() + i];
    run_pointwise(program, dims.dims(), inputs, results);
    return {};
  });
  return {};
}

}  // namespace vultus::cpu
