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

// Indices of the boxes of one class that stay, best first.
std::vector<int64_t> kept(const std::vector<Box>& boxes, std::span<const float> scores,
                          float iou_threshold, float score_threshold, int64_t most) {
  std::vector<int64_t> order, keep;
  for (size_t i = 0; i < scores.size(); ++i)
    if (scores[i] > score_threshold) order.push_back(static_cast<int64_t>(i));
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return scores[static_cast<size_t>(a)] > scores[static_cast<size_t>(b)];
  });
  for (int64_t candidate : order) {
    if (static_cast<int64_t>(keep.size()) >= most) break;
    const Box& box = boxes[static_cast<size_t>(candidate)];
    if (std::ranges::none_of(keep, [&](int64_t k) {
          return overlap(box, boxes[static_cast<size_t>(k)], iou_threshold);
        }))
      keep.push_back(candidate);
  }
  return keep;
}

Result<void> eval(Eval& node) {
  const Shape& scores = node.in[1].shape;
  const int64_t batches = scores[0], classes = scores[1], count = scores[2];
  const int64_t most = node.has(2) ? node.integers(2)[0] : 0;
  const float iou = node.has(3) ? node.in[3].as<const float>()[0] : 0.0f;
  const float least =
      node.has(4) ? node.in[4].as<const float>()[0] : -std::numeric_limits<float>::infinity();
  if (!(iou >= 0 && iou <= 1))
    return node.fail(fmt::format("iou_threshold {} is not in 0..1", iou));
  const bool centre = node.node.integer("center_point_box", 0) != 0;
  auto values = node.in[1].as<const float>();
  auto out = node.out[0].as<int64_t>();
  size_t rows = 0;
  for (int64_t b = 0; b < batches; ++b) {
    std::vector<Box> boxes;
    for (int64_t i = 0; i < count; ++i)
      boxes.push_back(corners(node.in[0].as<const float>().data() + (b * count + i) * 4, centre));
    for (int64_t c = 0; c < classes; ++c) {
      const auto first = static_cast<size_t>((b * classes + c) * count);
      for (int64_t i :
           kept(boxes, values.subspan(first, static_cast<size_t>(count)), iou, least, most)) {
        out[3 * rows] = b;
        out[3 * rows + 1] = c;
        out[3 * rows + 2] = i;
        ++rows;
      }
    }
  }
  node.out[0].shape[0] = static_cast<int64_t>(rows);
  return {};
}

const Register suppression({.name = "NonMaxSuppression",
                            .since = 10,
                            .infer = infer,
                            .eval = eval,
                            .limits = "max_output_boxes_per_class must be constant"});

}  // namespace
}  // namespace vultus
