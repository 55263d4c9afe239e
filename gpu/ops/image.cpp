#include "gpu/ops/image.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vultus::gpu {

Support image_operands(const Graph& graph, const Node& node) {
  for (ValueId id : {node.inputs[0], node.outputs[0]}) {
    const Value& v = graph.value(id);
    if (v.shape.rank() != 4)
      return Support::no(
          fmt::format("{}: rank {} (the GPU kernel takes [N,C,H,W])", node.op, v.shape.rank()));
    if (v.dtype != DType::f32)
      return Support::no(fmt::format("{}: no GPU kernel for {}", node.op, name_of(v.dtype)));
    if (v.shape.elements() == 0) return Support::no(fmt::format("{}: an empty tensor", node.op));
  }
  return Support::yes();
}

std::span<const float> constant_floats(const Graph& graph, ValueId value) {
  const Tensor* t = graph.constant(value);
  return t ? t->as<float>() : std::span<const float>();
}

std::vector<float> per_channel(std::span<const float> values, uint32_t channels) {
  std::vector<float> padded((channels + 7) / 8 * 8, 0.0f);
  std::copy(values.begin(), values.end(), padded.begin());
  return padded;
}

}  // namespace vultus::gpu
