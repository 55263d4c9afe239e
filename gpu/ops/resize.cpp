#include "host/ops/resize.hpp"

#include <fmt/format.h>

#include "gpu/ops/image.hpp"
#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t in_h, in_w, out_h, out_w, groups, threads;
};

Support supports(const Graph& graph, const Node& node, const Caps&) {
  if (Support s = image_operands(graph, node); !s.ok) return s;
  std::string mode = node.text("mode", "nearest");
  if (mode != "nearest" && mode != "linear")
    return Support::no(fmt::format("{}: no GPU kernel for mode {}", node.op, mode));
  const Shape &in = graph.shape(node.inputs[0]), &out = graph.shape(node.outputs[0]);
  if (in[0] != out[0] || in[1] != out[1])
    return Support::no(fmt::format("{}: from {} to {} (the GPU kernel resizes H and W only)",
                                   node.op, in.str(), out.str()));
  return Support::yes();
}

/// Output over input size per axis: as the node gives it, which rounding the sizes would lose.
std::vector<float> scales_of(const Graph& graph, const Node& node) {
  const size_t at = node.op == "Upsample" || node.opset < 11 ? 1 : 2;
  auto scales = constant_floats(graph, node.input(at));
  auto sizes = at == 1 ? std::vector<int64_t>() : constant_integers(graph, node.input(3));
  auto resolved =
      resize_sizes(node, graph.shape(node.inputs[0]), {scales.begin(), scales.end()}, sizes);
  return std::move(resolved).value().scales;  // shape inference has accepted the node
}

void build(Builder& b, const Node& node) {
  TensorRef in = b.input(node.inputs[0], Layout::nhwc8);
  TensorRef out = b.output(node.outputs[0], Layout::nhwc8);
  const ResizeMode mode = resize_mode(node).value();
  const std::vector<float> scales = scales_of(b.graph(), node);
  std::vector<int32_t> lines;
  std::vector<float> parts;
  for (int axis : {2, 3}) {
    ResizeTaps taps =
        resize_taps(mode, in.shape[axis], out.shape[axis], scales[static_cast<size_t>(axis)]);
    for (size_t i = 0; i < taps.index.size(); i += static_cast<size_t>(taps.count)) {
      size_t last = i + static_cast<size_t>(taps.count) - 1;
      lines.push_back(static_cast<int32_t>(taps.index[i]));
      lines.push_back(static_cast<int32_t>(taps.index[last]));
      parts.push_back(taps.weight[last]);
    }
  }
  uint32_t threads = out.n() * out.h() * out.w() * out.groups();
  b.dispatch(
      "resize", {mode.mode == "linear" ? 1u : 0u},
      Push{in.h(), in.w(), out.h(), out.w(), in.groups(), threads},
      {reads(in), {b.integers(lines), Access::read}, {b.floats(parts), Access::read}, writes(out)},
      fold(threads));
}

const RegisterGpu resize({"Resize", supports, build});
const RegisterGpu upsample({"Upsample", supports, build});

}  // namespace
}  // namespace vultus::gpu
