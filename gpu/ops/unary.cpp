#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

// Position is the number in shaders/unary.comp. Gelu is last: its approximation is the next one.
constexpr std::string_view kFunctions[] = {
    "Relu",       "LeakyRelu", "Sigmoid", "Tanh", "Clip",     "HardSigmoid", "HardSwish",
    "Silu",       "Elu",       "Exp",     "Log",  "Sqrt",     "Abs",         "Neg",
    "Reciprocal", "Floor",     "Ceil",    "Erf",  "Softplus", "Not",         "Sign",
    "Round",      "Sin",       "Cos",     "Selu", "Mish",     "Gelu"};

uint32_t number_of(const Node& node) {
  auto function = std::find(std::begin(kFunctions), std::end(kFunctions), node.op);
  bool second_gelu = node.op == "Gelu" && node.text("approximate", "none") == "tanh";
  return static_cast<uint32_t>(function - std::begin(kFunctions)) + (second_gelu ? 1 : 0);
}

Support float_only(const Graph& graph, const Node& node, const Caps&) {
  DType in = graph.value(node.input(0)).dtype;
  if (in == DType::f32 || (in == DType::boolean && node.op == "Not")) return Support::yes();
  return Support::no(fmt::format("{}: the GPU kernel takes floats, not {}", node.op, name_of(in)));
}

struct Bounds {
  float low = std::numeric_limits<float>::lowest();
  float high = std::numeric_limits<float>::max();
};

/// Clip's bounds: attributes before opset 11, inputs since.
Bounds bounds_of(const Graph& graph, const Node& node) {
  Bounds bounds;
  if (node.opset < 11) return {node.real("min", bounds.low), node.real("max", bounds.high)};
  if (const Tensor* t = graph.constant(node.input(1))) bounds.low = t->as<float>()[0];
  if (const Tensor* t = graph.constant(node.input(2))) bounds.high = t->as<float>()[0];
  return bounds;
}

Support clip(const Graph& graph, const Node& node, const Caps& caps) {
  for (size_t i : {size_t{1}, size_t{2}})
    if (node.input(i) != kNoValue && !graph.constant(node.input(i)))
      return Support::no(
          "Clip: its bounds are computed at run time, the GPU kernel wants constants");
  return float_only(graph, node, caps);
}

void set_parameters(const Graph& graph, const Node& node, float& alpha, float& beta) {
  if (node.op == "LeakyRelu") alpha = node.real("alpha", 0.01f);
  if (node.op == "Elu") alpha = node.real("alpha", 1.0f);
  if (node.op == "Selu") {
    alpha = node.real("alpha", 1.67326319217681884765625f);
    beta = node.real("gamma", 1.05070102214813232421875f);
  }
  if (node.op == "HardSigmoid") {
    alpha = node.real("alpha", 0.2f);
    beta = node.real("beta", 0.5f);
  }
  if (node.op == "Clip") {
    Bounds bounds = bounds_of(graph, node);
    alpha = bounds.low;
    beta = bounds.high;
  }
}

void build(Builder& builder, const Node& node) {
  Layout layout = builder.layout_of(node.input(0));
  TensorRef x = builder.input(node.input(0), layout);
  TensorRef y = builder.output(node.outputs[0], layout);
  struct Push {
    uint32_t groups;
    float alpha = 0, beta = 0;
  } push{(x.elements() + 7) / 8};
  set_parameters(builder.graph(), node, push.alpha, push.beta);
  uint32_t channels = 0;
  if (layout == Layout::nhwc8) {
    push.groups = x.n() * x.h() * x.w() * x.groups();
    if (x.c() % 8 != 0) channels = x.c();
  }
  builder.dispatch("unary", {number_of(node), channels}, push, {reads(x), writes(y)},
                   fold(push.groups));
}

void build_identity(Builder& builder, const Node& node) {
  builder.alias(node.outputs[0], builder.input(node.input(0), builder.layout_of(node.input(0))));
}

const bool registered = [] {
  for (std::string_view name : kFunctions)
    if (name != "Clip") RegisterGpu({name, float_only, build});
  RegisterGpu({"Clip", clip, build});
  RegisterGpu({"Identity", nullptr, build_identity});
  return true;
}();

}  // namespace
}  // namespace vultus::gpu
