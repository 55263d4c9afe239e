#include "gpu/ops/exact.hpp"
#include "host/ops/faces.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t faces, points;
  float gain, bias, slowest, expression;
  std::array<uint32_t, 2> unused{};  // a uvec4 begins at a multiple of its size
  std::array<uint32_t, 4> eyes{}, middle{};
};

constexpr uint32_t kGroup = 128;  // one thread a point

void build(Builder& b, const Node& node) {
  const FaceMirrors m = face_mirrors_of(node).value();  // inference has accepted the node
  TensorRef values = b.exact_input(node.inputs[0]);
  TensorRef squares = b.exact_input(node.inputs[1]);
  TensorRef areas = b.exact_input(node.inputs[2]);
  TensorRef state = b.exact_input(node.inputs[3]);
  TensorRef lines = exact_output(b, node.outputs[0]);
  Push push{static_cast<uint32_t>(squares.shape[0]),
            static_cast<uint32_t>(m.points),
            m.gain,
            m.bias,
            m.slowest,
            m.expression};
  auto narrow = [](int64_t v) { return static_cast<uint32_t>(v); };
  std::ranges::transform(m.eyes, push.eyes.begin(), narrow);
  std::ranges::transform(m.middle, push.middle.begin(), narrow);
  b.dispatch("face_mirrors", {}, push,
             {reads(values), reads(squares), reads(areas), reads(state), writes(lines)},
             {kGroup, 1, 1});
}

static_assert(kMostPoints <= kGroup);

const RegisterGpu face_mirrors(
    {.name = "FaceMirrors", .build = build, .exact_results = true, .exact_inputs = true});

}  // namespace
}  // namespace vultus::gpu
