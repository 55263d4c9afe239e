#include "gpu/ops/exact.hpp"
#include "host/ops/faces.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t number, kind;
  float per_side;
};

/// Of a buffer of `faces` such parts.
Stripe part_of(const TensorRef& all, uint64_t faces, uint64_t number) {
  const uint64_t bytes = uint64_t{all.elements()} * sizeof(float) / faces;
  return {faces * bytes, number * bytes, (number + 1) * bytes};
}

void build(Builder& b, const Node& node) {
  const FaceCrops crops = face_crops_of(node).value();  // inference has accepted the node
  TensorRef size = b.input(node.inputs[0], Layout::linear);
  TensorRef squares = exact_output(b, node.outputs[0]), areas = exact_output(b, node.outputs[1]);
  const auto faces = static_cast<uint32_t>(node.inputs.size() - 1);
  for (uint32_t i = 0; i < faces; ++i) {
    TensorRef face = b.exact_input(node.inputs[i + 1]);
    b.dispatch("face_crops", {}, Push{i, static_cast<uint32_t>(crops.side), crops.per_side},
               {reads(size),
                reads(face),
                {squares.buffer, Access::write, part_of(squares, faces, i)},
                {areas.buffer, Access::write, part_of(areas, faces, i)}},
               {1, 1, 1});
  }
}

const RegisterGpu face_crops(
    {.name = "FaceCrops", .build = build, .exact_results = true, .exact_inputs = true});

}  // namespace
}  // namespace vultus::gpu
