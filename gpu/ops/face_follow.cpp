#include "gpu/ops/exact.hpp"
#include "host/ops/faces.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t rows;
  float pixels, overlap, per_side, smallest, point_spread;
};

void build(Builder& b, const Node& node) {
  const FaceFollow follow = face_follow_of(node).value();  // inference has accepted the node
  TensorRef rows = b.exact_input(node.inputs[0]);
  TensorRef region = b.exact_input(node.inputs[1]);
  TensorRef before = b.exact_input(node.inputs[2]);
  TensorRef size = b.input(node.inputs[3], Layout::linear);
  TensorRef face = exact_output(b, node.outputs[0]), next = exact_output(b, node.outputs[1]);
  b.dispatch(
      "face_follow", {},
      Push{static_cast<uint32_t>(rows.shape[0]), static_cast<float>(follow.pixels), follow.overlap,
           follow.per_side, follow.smallest, static_cast<float>(kPointSpread)},
      {reads(rows), reads(region), reads(before), reads(size), writes(face), writes(next)},
      {1, 1, 1});
}

const RegisterGpu face_follow(
    {.name = "FaceFollow", .build = build, .exact_results = true, .exact_inputs = true});

}  // namespace
}  // namespace vultus::gpu
