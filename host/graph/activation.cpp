#include "host/graph/activation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/core/parallel.hpp"

namespace vultus {

std::optional<Epilogue> as_epilogue(const Graph& graph, const Node& node) {
  if (node.op == "Relu") return Epilogue{Activation::relu, 0, 0};
  if (node.op == "LeakyRelu") return Epilogue{Activation::leaky_relu, node.real("alpha", 0.01f), 0};
  if (node.op == "Sigmoid") return Epilogue{Activation::sigmoid, 0, 0};
  if (node.op == "Silu") return Epilogue{Activation::silu, 0, 0};
  if (node.op == "HardSigmoid")
    return Epilogue{Activation::hard_sigmoid, node.real("alpha", 0.2f), node.real("beta", 0.5f)};
  if (node.op == "HardSwish") return Epilogue{Activation::hard_swish, 0, 0};
  if (node.op == "Tanh") return Epilogue{Activation::tanh, 0, 0};
  if (node.op == "Clip") {
    if (graph.value(node.input(0)).dtype != DType::f32) return std::nullopt;
    Epilogue clip{Activation::clip, node.real("min", std::numeric_limits<float>::lowest()),
                  node.real("max", std::numeric_limits<float>::max())};
    for (size_t i : {size_t{1}, size_t{2}}) {
      if (node.input(i) == kNoValue) continue;
      const Tensor* bound = graph.constant(node.input(i));
      if (!bound || bound->dtype() != DType::f32 || bound->shape().elements() != 1)
        return std::nullopt;
      (i == 1 ? clip.alpha : clip.beta) = bound->as<float>()[0];
    }
    return clip;
  }
  return std::nullopt;
}

Epilogue epilogue_of(const Node& node) {
  return {static_cast<Activation>(node.integer("activation", 0)), node.real("activation_alpha", 0),
          node.real("activation_beta", 0)};
}

float apply(const Epilogue& epilogue, float x) {
  const float a = epilogue.alpha, b = epilogue.beta;
  switch (epilogue.kind) {
    case Activation::none:
      return x;
    case Activation::relu:
      return std::max(x, 0.0f);
    case Activation::leaky_relu:
      return x < 0 ? a * x : x;
    case Activation::sigmoid:
      return 1.0f / (1.0f + std::exp(-x));
    case Activation::silu:
      return x / (1.0f + std::exp(-x));
    case Activation::clip:
      return std::min(std::max(x, a), b);
    case Activation::hard_sigmoid:
      return std::min(std::max(a * x + b, 0.0f), 1.0f);
    case Activation::hard_swish:
      return x * std::min(std::max(x / 6.0f + 0.5f, 0.0f), 1.0f);
    case Activation::tanh:
      return std::tanh(x);
  }
  return x;
}

void activate(const Epilogue& epilogue, std::span<float> values) {
  if (epilogue.kind == Activation::none) return;
  parallel_for(static_cast<int64_t>(values.size()), 8, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      values[static_cast<size_t>(i)] = apply(epilogue, values[static_cast<size_t>(i)]);
  });
}

void set_epilogue(Node& node, const Epilogue& epilogue) {
  node.attributes["activation"] = static_cast<int64_t>(epilogue.kind);
  node.attributes["activation_alpha"] = epilogue.alpha;
  node.attributes["activation_beta"] = epilogue.beta;
}

}  // namespace vultus
