#include <fmt/format.h>

#include <array>

#include "gpu/ops/elementwise.hpp"
#include "gpu/ops/strided.hpp"
#include "host/graph/activation.hpp"

namespace vultus::gpu {
namespace {

enum class Yields : uint8_t { same, boolean };

/// The number is the kernel's kOp.
struct Kind {
  std::string_view name;
  uint32_t number;
  Yields result = Yields::same;
  bool integers = true;
};
constexpr std::array kKinds{
    Kind{"Add", 0},
    Kind{"Sub", 1},
    Kind{"Mul", 2},
    Kind{"Div", 3},
    Kind{"Pow", 4, Yields::same, false},
    Kind{"Max", 5},
    Kind{"Min", 6},
    Kind{"PRelu", 7, Yields::same, false},
    Kind{"Equal", 8, Yields::boolean},
    Kind{"Greater", 9, Yields::boolean},
    Kind{"GreaterOrEqual", 10, Yields::boolean},
    Kind{"Less", 11, Yields::boolean},
    Kind{"LessOrEqual", 12, Yields::boolean},
    Kind{"And", 13, Yields::boolean, false},
    Kind{"Or", 14, Yields::boolean, false},
    Kind{"Xor", 15, Yields::boolean, false},
};

const Kind& kind_of(const Node& node) {
  size_t i = 0;
  while (i + 1 < kKinds.size() && kKinds[i].name != node.op)
    ++i;
  return kKinds[i];
}

Support supports(const Graph& graph, const Node& node, const Caps&) {
  if (Support s = broadcasts(graph, node); !s.ok) return s;
  if (node.inputs.size() > 2)
    return Support::no(
        fmt::format("{}: {} inputs (the GPU kernel takes two)", node.op, node.inputs.size()));
  bool integers = is_integer(graph.value(node.inputs[0]).dtype);
  for (ValueId id : node.inputs)
    if (is_integer(graph.value(id).dtype) != integers)
      return Support::no(fmt::format("{}: operands of different types", node.op));
  if (integers && !kind_of(node).integers)
    return Support::no(fmt::format("{}: no GPU kernel for integers", node.op));
  return Support::yes();
}

void build(Builder& b, const Node& node) {
  if (node.inputs.size() == 1) {  // Max and Min of one value
    b.alias(node.outputs[0], as_it_lies(b, node.inputs[0]));
    return;
  }
  const Kind& kind = kind_of(node);
  uint32_t type = 0;
  if (is_integer(b.graph().value(node.inputs[0]).dtype))
    type = kind.result == Yields::boolean ? 2 : 1;
  Epilogue epilogue = epilogue_of(node);
  elementwise(b, node,
              {"binary",
               {kind.number, type, static_cast<uint32_t>(epilogue.kind)},
               epilogue.alpha,
               epilogue.beta});
}

[[maybe_unused]] const bool registered = [] {
  for (const Kind& kind : kKinds)
    RegisterGpu({kind.name, supports, build});
  return true;
}();

}  // namespace
}  // namespace vultus::gpu
