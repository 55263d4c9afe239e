#include "host/graph/passes/affine.hpp"

#include <cmath>

namespace vultus {

std::optional<Affine> batch_norm_affine(const Graph& graph, const Node& node, int64_t channels) {
  if (node.inputs.size() != 5 || node.integer("training_mode", 0) != 0) return std::nullopt;
  const Tensor* parameters[4];
  for (size_t i = 0; i < 4; ++i) {
    parameters[i] = graph.constant(node.inputs[i + 1]);
    if (!parameters[i] || parameters[i]->dtype() != DType::f32 ||
        parameters[i]->shape().elements() != channels)
      return std::nullopt;
  }
  double epsilon = static_cast<double>(node.real("epsilon", 1e-5f));
  Affine affine;
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    auto at = [&](size_t i) { return static_cast<double>(parameters[i]->as<float>()[c]); };
    double variance = at(3) + epsilon;
    if (!(variance > 0)) return std::nullopt;
    double scale = at(0) / std::sqrt(variance);
    affine.scale.push_back(scale);
    affine.shift.push_back(at(1) - at(2) * scale);
  }
  return affine;
}

}  // namespace vultus
