#include "host/ops/crop_warp.hpp"

#include "gpu/builder.hpp"
#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t threads, height, width, capacity;
  uint32_t corners, area, channels;
  uint32_t mirrors, columns;
  std::array<uint32_t, 3> unused{};  // a vec4 begins at a multiple of its size
  std::array<float, 4> scale{}, shift{};
};

void build(Builder& b, const Node& node) {
  const CropWarp crop = crop_warp_of(node).value();  // shape inference has accepted the node
  TensorRef picture = b.input(node.inputs[0], Layout::linear);
  TensorRef size = b.input(node.inputs[1], Layout::linear);
  TensorRef rectangles = b.exact_input(node.inputs[2]);
  TensorRef mirrors = node.input(3) != kNoValue ? b.exact_input(node.inputs[3]) : rectangles;
  TensorRef out = b.output(node.outputs[0], Layout::nhwc8);
  Push push{out.n() * out.h() * out.w(),
            out.h(),
            out.w(),
            picture.elements(),
            crop.grid == CropGrid::corners ? 1u : 0u,
            crop.area ? 1u : 0u,
            static_cast<uint32_t>(crop.channels),
            node.input(3) != kNoValue ? 1u : 0u,
            static_cast<uint32_t>(b.graph().shape(node.inputs[2])[1])};
  std::ranges::copy(crop.scale, push.scale.begin());
  std::ranges::copy(crop.shift, push.shift.begin());
  b.dispatch("crop_warp", {}, push,
             {reads(picture), reads(size), reads(rectangles), reads(mirrors), writes(out)},
             fold(push.threads));
}

Support supports(const Graph& graph, const Node& node, const Caps&) {
  if (graph.shape(node.outputs[0]).elements() == 0) return Support::no("CropWarp: no crops");
  return Support::yes();
}

const RegisterGpu crop_warp({.name = "CropWarp",
                             .supports = supports,
                             .build = build,
                             .reads_bytes = true,
                             .exact_inputs = true});

}  // namespace
}  // namespace vultus::gpu
