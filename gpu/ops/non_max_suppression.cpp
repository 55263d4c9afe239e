#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

constexpr int64_t kMaxBoxes = 32768;

struct Push {
  uint32_t total, count, classes, most, centers;
  float iou_threshold, score_threshold;
};
struct RowsPush {
  uint32_t total, jobs, classes, most;
};

std::optional<float> threshold(const Graph& graph, ValueId id, float absent) {
  if (id == kNoValue) return absent;
  const Tensor* t = graph.constant(id);
  if (!t || t->dtype() != DType::f32 || t->shape().elements() != 1) return std::nullopt;
  return t->as<float>()[0];
}

Support supports(const Graph& graph, const Node& node, const Caps&) {
  for (size_t i : {0u, 1u})
    if (graph.shape(node.inputs[i]).elements() == 0)
      return Support::no("NonMaxSuppression: no boxes");
  if (graph.shape(node.outputs[0])[0] == 0)
    return Support::no("NonMaxSuppression: max_output_boxes_per_class is 0");
  if (graph.shape(node.inputs[0])[1] > kMaxBoxes)
    return Support::no(fmt::format("NonMaxSuppression: {} boxes (at most {})",
                                   graph.shape(node.inputs[0])[1], kMaxBoxes));
  if (constant_integers(graph, node.input(2)).size() != 1)
    return Support::no("NonMaxSuppression: max_output_boxes_per_class is computed at run time");
  if (!threshold(graph, node.input(3), 0) || !threshold(graph, node.input(4), 0))
    return Support::no("NonMaxSuppression: a threshold is computed at run time");
  return Support::yes();
}

void build(Builder& b, const Node& node) {
  const Graph& graph = b.graph();
  TensorRef boxes = b.input(node.inputs[0], Layout::linear);
  TensorRef scores = b.input(node.inputs[1], Layout::linear);
  TensorRef out = b.output(node.outputs[0], Layout::linear);
  int64_t count = boxes.shape[1], jobs = scores.shape[0] * scores.shape[1];
  int64_t most = std::min(constant_integers(graph, node.inputs[2])[0], count);
  Push push{static_cast<uint32_t>(jobs),
            static_cast<uint32_t>(count),
            static_cast<uint32_t>(scores.shape[1]),
            static_cast<uint32_t>(most),
            node.integer("center_point_box", 0) != 0 ? 1u : 0u,
            threshold(graph, node.input(3), 0).value_or(0),
            threshold(graph, node.input(4), std::numeric_limits<float>::lowest()).value_or(0)};
  auto words = [&](int64_t n) { return b.scratch(static_cast<uint64_t>(n) * 4); };
  BufferId alive = words(jobs * count), picks = words(jobs * most), picked = words(jobs);
  b.dispatch("non_max_suppression", {}, push,
             {reads(boxes),
              reads(scores),
              {alive, Access::write},  // read too, but only what the kernel wrote itself
              {picks, Access::write},
              {picked, Access::write}},
             fold(static_cast<uint64_t>(jobs) * 128));
  uint64_t rows = static_cast<uint64_t>(out.shape[0]);
  b.dispatch("non_max_suppression_rows", {},
             RowsPush{static_cast<uint32_t>(rows), push.total, push.classes, push.most},
             {{picks, Access::read}, {picked, Access::read}, writes(out)},
             fold(std::max(rows, static_cast<uint64_t>(jobs * most))));
}

const RegisterGpu non_max_suppression({"NonMaxSuppression", supports, build});

}  // namespace
}  // namespace vultus::gpu
