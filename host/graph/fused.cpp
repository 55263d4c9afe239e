#include "host/graph/fused.hpp"

namespace vultus {

std::optional<AddendFit> fit_addend(const Shape& addend, const Shape& out) {
  if (addend.rank() != 4 || out.rank() != 4 || addend.elements() == 0 || out.elements() == 0)
    return std::nullopt;
  if (addend[1] != out[1] || out[2] % addend[2] != 0 || out[3] % addend[3] != 0)
    return std::nullopt;
  if (addend[0] != out[0] && addend[0] != 1) return std::nullopt;
  return AddendFit{out[2] / addend[2], out[3] / addend[3], addend[0] != out[0]};
}

bool adds_last(const Node& node) {
  return node.integer("addend_last", 0) != 0;
}

bool has_second_output(const Node& node) {
  return node.has("second_scale") && node.outputs.size() > 1 && node.outputs[1] != kNoValue;
}

SecondOutput second_output_of(const Node& node) {
  return {node.reals("second_scale"),
          node.reals("second_shift"),
          {static_cast<Activation>(node.integer("second_activation", 0)),
           node.real("second_alpha", 0), node.real("second_beta", 0)}};
}

void set_second_output(Node& node, const SecondOutput& second) {
  node.attributes["second_scale"] = second.scale;
  node.attributes["second_shift"] = second.shift;
  node.attributes["second_activation"] = static_cast<int64_t>(second.epilogue.kind);
  node.attributes["second_alpha"] = second.epilogue.alpha;
  node.attributes["second_beta"] = second.epilogue.beta;
}

}  // namespace vultus
