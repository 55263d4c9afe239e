#include <fmt/format.h>

#include <algorithm>

#include "gpu/ops/elementwise.hpp"
#include "host/ops/pointwise_program.hpp"

namespace vultus::gpu {
namespace {

constexpr size_t kOperands = PointwiseProgram::kMostInputs;
constexpr size_t kStrided = PointwiseProgram::kMostBroadcasts;
constexpr size_t kAxes = PointwiseProgram::kMostAxes;
constexpr size_t kImmediates = PointwiseProgram::kMostImmediates;

struct Push {
  uint32_t total, rank;
  uint32_t channels, groups;  // of the results: lanes at and beyond `channels` are zero
  uint32_t splats;            // bit i: strided operand i is one scalar for all 8 lanes
  std::array<uint32_t, kAxes> size;
  std::array<std::array<int32_t, kAxes>, kStrided> stride;
  std::array<float, kImmediates> immediate;
};

Support supports(const Graph& graph, const Node& node, const Caps&) {
  size_t strided = 0;
  for (ValueId v : node.inputs)
    strided += graph.shape(v) == graph.shape(node.outputs[0]) ? 0 : 1;
  if (strided > kStrided)
    return Support::no(fmt::format("Pointwise: {} broadcast operands (the GPU kernel takes {})",
                                   strided, kStrided));
  if (graph.shape(node.outputs[0]).rank() > static_cast<int>(kAxes))
    return Support::no("Pointwise: the GPU kernel takes at most four axes");
  return broadcasts(graph, node);
}

/// Operands of the result's shape lie as the result; the others are walked with strides.
struct Operands {
  std::vector<TensorRef> refs;
  std::vector<std::vector<int64_t>> strides;  ///< of the strided ones
  uint32_t modes = 0;                         ///< 4 bits each: 0 dense, else 1 + strided operand
};

Operands gather(Builder& b, const Node& node, bool nhwc8) {
  const Shape& result = b.graph().shape(node.outputs[0]);
  const Layout layout = nhwc8 ? Layout::nhwc8 : Layout::linear;
  Operands all;
  for (size_t k = 0; k < node.inputs.size(); ++k) {
    const ValueId v = node.inputs[k];
    const Shape& shape = b.graph().shape(v);
    const bool dense = shape == result;
    const bool any_layout = nhwc8 && !dense && splat_channels(shape, result);
    all.refs.push_back(any_layout ? as_it_lies(b, v) : b.input(v, layout));
    if (dense) continue;
    all.strides.push_back(broadcast_strides(all.refs.back(), result));
    all.modes |= static_cast<uint32_t>(all.strides.size()) << (4 * k);
  }
  return all;
}

/// Level 0 of the strides is the results', which dense operands share.
Levels levels_of(const TensorRef& out, const Operands& all) {
  const std::vector<int64_t> own = strides_of(out);
  Levels levels;
  for (int axis : axes_in_memory(out.layout, out.shape.rank())) {
    const auto i = static_cast<size_t>(axis);
    Level level{.size = out.shape[axis], .stride = {own[i]}};
    for (size_t k = 0; k < all.strides.size(); ++k)
      level.stride[k + 1] = all.strides[k][i];
    if (out.layout == Layout::nhwc8 && axis == 1) level.size = stored_channels(out);
    levels.push_back(level);
  }
  merge(levels);
  return levels;
}

std::vector<uint32_t> constants(const PointwiseProgram& p, bool wide, uint32_t modes) {
  uint32_t results = 0;
  for (size_t i = 0; i < p.results.size(); ++i)
    results |= uint32_t{p.results[i]} << (8 * i);
  std::vector<uint32_t> spec{wide ? 1u : 0u,
                             static_cast<uint32_t>(p.inputs),
                             modes,
                             static_cast<uint32_t>(p.immediates.size()),
                             static_cast<uint32_t>(p.results.size()),
                             results,
                             static_cast<uint32_t>(p.code.size())};
  for (const PointwiseInstruction& i : p.code)
    spec.push_back(static_cast<uint32_t>(i.op) | uint32_t{i.a} << 8 | uint32_t{i.b} << 16 |
                   uint32_t{i.c} << 24);
  spec.resize(spec.size() - p.code.size() + PointwiseProgram::kMostInstructions, 0u);
  return spec;
}

void build(Builder& b, const Node& node) {
  const PointwiseProgram program = pointwise_program(node).value();
  const Value& result = b.graph().value(node.outputs[0]);
  const bool nhwc8 = choose_nhwc8(b, result, node.inputs);
  const Operands all = gather(b, node, nhwc8);
  std::vector<TensorRef> out;
  for (ValueId v : node.outputs)
    out.push_back(b.output(v, nhwc8 ? Layout::nhwc8 : Layout::linear));

  Levels levels = levels_of(out[0], all);
  Push push{};
  uint32_t splats = 0;
  const bool wide = widen(levels, all.strides.size() + 1, splats);
  push.splats = splats >> 1;
  push.channels = nhwc8 ? out[0].c() : 8;
  push.groups = nhwc8 ? out[0].groups() : 1;
  uint64_t total = 1;
  push.rank = static_cast<uint32_t>(levels.size());
  push.size.fill(1);
  for (size_t i = 0; i < levels.size(); ++i) {
    total *= static_cast<uint64_t>(levels[i].size);
    push.size[i] = static_cast<uint32_t>(levels[i].size);
    for (size_t k = 0; k < all.strides.size(); ++k)
      push.stride[k][i] = static_cast<int32_t>(levels[i].stride[k + 1]);
  }
  push.total = static_cast<uint32_t>(total);
  std::ranges::copy(program.immediates, push.immediate.begin());

  std::vector<Binding> bindings;
  for (size_t k = 0; k < kOperands; ++k)
    bindings.push_back(reads(all.refs[k < all.refs.size() ? k : 0]));
  for (size_t k = 0; k < PointwiseProgram::kMostResults; ++k)
    bindings.push_back(writes(out[k < out.size() ? k : 0]));
  b.dispatch("pointwise", constants(program, wide, all.modes), push, std::move(bindings),
             fold(total));
}

const RegisterGpu pointwise({"Pointwise", supports, build});

}  // namespace
}  // namespace vultus::gpu
