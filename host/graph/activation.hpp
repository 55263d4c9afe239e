#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "host/graph/graph.hpp"

namespace vultus {

/// Activations that fuse into another node's epilogue. The numbers are those of
/// shaders/common/activation.glsl.
enum class Activation : uint32_t {
  none,
  relu,
  leaky_relu,
  sigmoid,
  silu,
  clip,
  hard_sigmoid,
  hard_swish,
  tanh
};

/// alpha, beta: slope of leaky_relu; bounds of clip; scale and shift of hard_sigmoid.
struct Epilogue {
  Activation kind = Activation::none;
  float alpha = 0;
  float beta = 0;

  bool operator==(const Epilogue&) const = default;
};

/// What an activation node (Relu, LeakyRelu, Sigmoid, Silu, Clip with constant bounds, HardSigmoid,
/// HardSwish, Tanh) computes, as an epilogue; nothing when the node is no such activation.
std::optional<Epilogue> as_epilogue(const Graph& graph, const Node& node);
/// The fused activation of a node: attributes `activation` (number), `activation_alpha`,
/// `activation_beta`.
Epilogue epilogue_of(const Node& node);
/// The activation of one value, and of all values in place.
float apply(const Epilogue& epilogue, float x);
void activate(const Epilogue& epilogue, std::span<float> values);
void set_epilogue(Node& node, const Epilogue& epilogue);

}  // namespace vultus
