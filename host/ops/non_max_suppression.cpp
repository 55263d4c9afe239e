#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/ops/op.hpp"

namespace vultus {
namespace {

struct Box {
  float x1, y1, x2, y2;
};

Box corners(const float* b, bool centre) {
  if (centre) return {b[0] - b[2] / 2, b[1] - b[3] / 2, b[0] + b[2] / 2, b[1] + b[3] / 2};
  // Any two opposite corners, y first.
  return {std::min(b[1], b[3]), std::min(b[0], b[2]), std::max(b[1], b[3]), std::max(b[0], b[2])};
}

bool overlap(const Box& a, const Box& b, float threshold) {
  const float width = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  const float height = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  if (!(width > 0) || !(height > 0)) return false;
  const float area_a = (a.x2 - a.x1) * (a.y2 - a.y1), area_b = (b.x2 - b.x1) * (b.y2 - b.y1);
  if (!(area_a > 0) || !(area_b > 0)) return false;
  const float both = width * height;
  return both / (area_a + area_b - both) > threshold;
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 5));
  for (size_t i : {0, 1, 3, 4})
    VULTUS_CHECK(node.expect_type(i, {DType::f32}));
  const Shape &boxes = node.shape(0), &scores = node.shape(1);
  if (boxes.rank() != 3 || boxes[2] != 4 || scores.rank() != 3 || scores[0] != boxes[0] ||
      scores[2] != boxes[1])
    return node.fail(
        fmt::format("boxes {} and scores {} must be [batch, boxes, 4] and [batch, classes, boxes]",
                    boxes.str(), scores.str()));
  for (size_t i : {3, 4})
    if (node.has(i) && node.shape(i).elements() != 1)
      return node.fail(fmt::format("input {} must be one threshold", i));
  const int64_t form = node.node().integer("center_point_box", 0);
  if (form != 0 && form != 1) return node.fail(fmt::format("center_point_box is {}", form));
  int64_t most = 0;
  if (node.has(2)) {
    VULTUS_TRY(auto list, node.integers(2, "max_output_boxes_per_class"));
    if (list.size() != 1)
      return node.fail(fmt::format("max_output_boxes_per_class has {} elements", list.size()));
    most = std::clamp<int64_t>(list[0], 0, boxes[1]);
  }
  const auto rows = checked_elements(std::array{boxes[0], scores[1], most});
  if (!rows) return node.fail("there are too many boxes and classes");
  VULTUS_CHECK(node.set(0, DType::i64, {*rows, 3}));
  node.set_dynamic_rows(0);
  return {};
}

struct Thresholds {
  float iou, score;
  size_t most;
};

// Indices of the boxes of one class that stay, best first, in `order` (one for each box).
std::span<const size_t> kept(std::span<const Box> boxes, std::span<const float> scores,
                             const Thresholds& limits, size_t* order) {
  size_t candidates = 0, count = 0;
  for (size_t i = 0; i < scores.size(); ++i)
    if (scores[i] > limits.score) order[candidates++] = i;
  std::sort(order, order + candidates, [&](size_t a, size_t b) {
    return scores[a] != scores[b] ? scores[a] > scores[b] : a < b;
  });
  // Those that stay move to the front, where candidates have been looked at.
  for (size_t next = 0; next < candidates && count < limits.most; ++next) {
    const size_t candidate = order[next];
    if (std::none_of(order, order + count,
                     [&](size_t k) { return overlap(boxes[candidate], boxes[k], limits.iou); }))
      order[count++] = candidate;
  }
  return {order, count};
}

Result<void> run(Eval& node) {
  const Shape& scores = node.in[1].shape;
  const int64_t batches = scores[0], classes = scores[1], count = scores[2];
  const int64_t most = node.has(2) ? std::max<int64_t>(node.integer(2, 0), 0) : 0;
  const float iou = node.has(3) ? node.in[3].as<const float>()[0] : 0.0f;
  const float least =
      node.has(4) ? node.in[4].as<const float>()[0] : -std::numeric_limits<float>::infinity();
  if (!(iou >= 0 && iou <= 1))
    return node.fail(fmt::format("iou_threshold {} is not in 0..1", iou));
  const bool centre = node.node.integer("center_point_box", 0) != 0;
  auto values = node.in[1].as<const float>();
  auto out = node.out[0].as<int64_t>();
  auto* order = reinterpret_cast<size_t*>(node.scratch);
  const std::span boxes(reinterpret_cast<Box*>(order + count), static_cast<size_t>(count));
  const Thresholds limits{iou, least, static_cast<size_t>(most)};
  size_t rows = 0;
  for (int64_t b = 0; b < batches; ++b) {
    for (int64_t i = 0; i < count; ++i)
      boxes[static_cast<size_t>(i)] =
          corners(node.in[0].as<const float>().data() + (b * count + i) * 4, centre);
    for (int64_t c = 0; c < classes; ++c) {
      const auto first = static_cast<size_t>((b * classes + c) * count);
      for (size_t i : kept(boxes, values.subspan(first, boxes.size()), limits, order)) {
        out[3 * rows] = b;
        out[3 * rows + 1] = c;
        out[3 * rows + 2] = static_cast<int64_t>(i);
        ++rows;
      }
    }
  }
  node.out[0].shape[0] = static_cast<int64_t>(rows);
  return {};
}

Result<Prepared> prepare(const Eval& node) {
  return Prepared{run, node.in[1].shape[2] * int64_t{sizeof(size_t) + sizeof(Box)}};
}

const Register suppression({.name = "NonMaxSuppression",
                            .since = 10,
                            .infer = infer,
                            .prepare = prepare,
                            .limits = "max_output_boxes_per_class must be constant"});

}  // namespace
}  // namespace vultus
