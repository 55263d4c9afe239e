#include "gpu/ops/conv_epilogue.hpp"

#include <fmt/format.h>

#include "gpu/ops/image.hpp"

namespace vultus::gpu {
namespace {

// Bits of kParts.
constexpr uint32_t kResidual = 1, kAddend = 2, kAddendLast = 4, kFirst = 8, kSecond = 16,
                   kAddendShared = 32;

uint32_t parts_of(const ConvEpilogue& e) {
  uint32_t parts = 0;
  if (e.residual) parts |= kResidual;
  if (e.addend) parts |= kAddend;
  if (e.addend && e.addend->last) parts |= kAddendLast;
  if (e.addend && e.addend->fit.shared) parts |= kAddendShared;
  if (e.output >= 0) parts |= kFirst;
  if (e.second) parts |= kSecond;
  return parts;
}

/// The bytes that an output of so many channels has in each pixel of its buffer.
Stripe stripe_of(const Place& place, uint32_t channels, Precision precision) {
  if (place.groups == 0) return {};
  const uint64_t group = precision == Precision::fp16 ? 16 : 32;
  return {place.groups * group, place.first * group, (place.first + (channels + 7) / 8) * group};
}

}  // namespace

std::vector<float> second_numbers(const SecondOutput& second, uint32_t channels) {
  std::vector<float> numbers = per_channel(second.scale, channels);
  std::vector<float> shift = per_channel(second.shift, channels);
  numbers.insert(numbers.end(), shift.begin(), shift.end());
  return numbers;
}

EpilogueParts epilogue_parts(Builder& b, const ConvEpilogue& e, BufferId input, BufferId weights,
                             uint32_t channels, uint32_t map_h, uint32_t map_w) {
  std::vector<float> numbers = per_channel(e.bias, channels);
  Epilogue second;
  if (e.second) {
    second = e.second->affine.epilogue;
    std::vector<float> more = second_numbers(e.second->affine, channels);
    numbers.insert(numbers.end(), more.begin(), more.end());
  }
  AddendFit fit = e.addend ? e.addend->fit : AddendFit{};
  // What is absent is never touched; some buffer has to be bound.
  const Binding y{e.output, Access::write, stripe_of(e.place, channels, b.precision())};
  const Binding z = e.second ? Binding{e.second->buffer, Access::write} : y;
  return {
      {parts_of(e), static_cast<uint32_t>(e.activation.kind), static_cast<uint32_t>(second.kind),
       static_cast<uint32_t>(fit.factor_h), static_cast<uint32_t>(fit.factor_w)},
      {channels, e.activation.alpha, e.activation.beta, second.alpha, second.beta, map_h, map_w,
       e.place.groups, e.place.first},
      {{input, Access::read},
       {weights, Access::read},
       {b.floats(numbers), Access::read},
       {e.residual.value_or(input), Access::read},
       {e.addend ? e.addend->buffer : input, Access::read},
       e.output >= 0 ? y : z,
       z}};
}

ConvEpilogue conv_epilogue_of(Builder& b, const Node& node) {
  const Graph& graph = b.graph();
  ConvEpilogue e{.bias = constant_floats(graph, node.input(2)), .activation = epilogue_of(node)};
  if (node.input(3) != kNoValue) e.residual = b.input(node.inputs[3], Layout::nhwc8).buffer;
  if (node.input(4) != kNoValue)
    e.addend = {b.input(node.inputs[4], Layout::nhwc8).buffer,
                fit_addend(graph.shape(node.inputs[4]), graph.shape(node.outputs[0])).value(),
                adds_last(node)};
  if (!has_second_output(node) || b.is_read(node.outputs[0])) {
    PlacedRef out = b.placed_output(node.outputs[0]);
    e.output = out.tensor.buffer;
    e.place = out.place;
  }
  if (has_second_output(node))
    e.second = {b.output(node.outputs[1], Layout::nhwc8).buffer, second_output_of(node)};
  return e;
}

Support epilogue_fits(const Graph& graph, const Node& node) {
  const Shape& out = graph.shape(node.outputs[0]);
  if (node.input(2) != kNoValue && !graph.constant(node.inputs[2]))
    return Support::no(fmt::format("{}: a bias computed at run time", node.op));
  for (size_t i : {size_t{3}, size_t{4}}) {
    if (node.input(i) == kNoValue) continue;
    const Shape& added = graph.shape(node.inputs[i]);
    if (i == 3 ? !(added == out) : !fit_addend(added, out))
      return Support::no(
          fmt::format("{}: adds {} to its result of {}", node.op, added.str(), out.str()));
  }
  return Support::yes();
}

}  // namespace vultus::gpu
