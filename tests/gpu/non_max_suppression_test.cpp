#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <optional>

#include "tests/support/gpu.hpp"
#include "tests/support/op_case.hpp"

namespace vultus {
namespace {

struct Settings {
  int64_t most = 0;
  std::optional<float> iou, score;
  bool centers = false;
};

/// Opposite corners, the smaller first.
std::array<double, 4> corners(const Tensor& boxes, int64_t batch, int64_t i, bool centers) {
  auto at = [&](int64_t k) { return test::element(boxes, {batch, i, k}); };
  if (centers) return {at(0) - at(2) / 2, at(1) - at(3) / 2, at(0) + at(2) / 2, at(1) + at(3) / 2};
  return {std::min(at(0), at(2)), std::min(at(1), at(3)), std::max(at(0), at(2)),
          std::max(at(1), at(3))};
}

double intersection_over_union(const std::array<double, 4>& a, const std::array<double, 4>& b) {
  double x = std::min(a[2], b[2]) - std::max(a[0], b[0]);
  double y = std::min(a[3], b[3]) - std::max(a[1], b[1]);
  if (x <= 0 || y <= 0) return 0;
  double both = x * y;
  return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both);
}

using Row = std::array<int64_t, 3>;

std::vector<Row> expected_rows(const Tensor& boxes, const Tensor& scores, const Settings& s) {
  std::vector<Row> rows;
  int64_t count = boxes.shape()[1];
  for (int64_t batch = 0; batch < scores.shape()[0]; ++batch)
    for (int64_t k = 0; k < scores.shape()[1]; ++k) {
      auto score = [&](int64_t i) { return test::element(scores, {batch, k, i}); };
      std::vector<int64_t> order(static_cast<size_t>(count)), kept;
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(),
                       [&](int64_t a, int64_t b) { return score(a) > score(b); });
      for (int64_t i : order) {
        if (s.score && score(i) <= static_cast<double>(*s.score)) break;
        if (static_cast<int64_t>(kept.size()) == s.most) break;
        bool overlaps = std::ranges::any_of(kept, [&](int64_t j) {
          return intersection_over_union(corners(boxes, batch, i, s.centers),
                                         corners(boxes, batch, j, s.centers)) >
                 static_cast<double>(s.iou.value_or(0));
        });
        if (overlaps) continue;
        kept.push_back(i);
        rows.push_back({batch, k, i});
      }
    }
  return rows;
}

void expect_suppression(Device& device, const Tensor& boxes, const Tensor& scores,
                        const Settings& s, std::vector<Precision> precisions) {
  std::vector<test::Operand> operands;
  operands.push_back({boxes.clone()});
  operands.push_back({scores.clone()});
  operands.push_back(test::constant(Tensor::of<int64_t>({1}, {s.most})));
  for (const std::optional<float>& threshold : {s.iou, s.score})
    operands.push_back(threshold ? test::constant(Tensor::of<float>({1}, {*threshold}))
                                 : test::Operand{});
  auto graph =
      test::single_node("NonMaxSuppression", {{"center_point_box", int64_t{s.centers}}}, operands);
  ASSERT_TRUE(graph) << graph.error().what;
  Support support = device.supports(*graph, graph->nodes[0], Precision::fp32);
  ASSERT_TRUE(support.ok) << support.reason;
  std::vector<Row> expected = expected_rows(boxes, scores, s);
  for (Precision precision : precisions) {
    auto results = test::run_on(device, *graph, {&boxes, &scores}, precision);
    ASSERT_TRUE(results) << results.error().what;
    const Tensor& rows = (*results)[0];
    ASSERT_EQ(rows.shape()[0], static_cast<int64_t>(expected.size())) << name_of(precision);
    for (size_t r = 0; r < expected.size(); ++r)
      for (size_t k = 0; k < 3; ++k)
        EXPECT_EQ(rows.as<int64_t>()[3 * r + k], expected[r][k]) << "row " << r;
  }
}

/// Boxes of 2 to 10 on a grid of sixteenths, exact in fp16, in a square of 30.
Tensor random_boxes(int64_t batches, int64_t count, uint32_t seed, bool centers) {
  Tensor boxes = test::random_tensor({batches, count, 4}, seed, 0, 30);
  auto v = boxes.as<float>();
  for (size_t i = 0; i < v.size(); i += 4)
    for (size_t k = 0; k < 4; ++k) {
      v[i + k] = static_cast<float>(static_cast<int>(v[i + k] * 16)) / 16;
      if (centers && k >= 2) v[i + k] = 2 + static_cast<float>(static_cast<int>(v[i + k])) / 4;
    }
  return boxes;
}

TEST(GpuNonMaxSuppression, KeepsWhatTheGreedyReferenceKeeps) {
  VULTUS_NEED_GPU(device);
  for (uint32_t seed : {1u, 2u, 3u})
    for (bool centers : {false, true}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + (centers ? " centers" : ""));
      expect_suppression(device, random_boxes(2, 300, seed, centers),
                         test::random_halves({2, 3, 300}, seed + 10, 0, 1),
                         {20, 0.4f, 0.3f, centers}, {Precision::fp32});
    }
}

TEST(GpuNonMaxSuppression, HalfPrecisionKeepsTheSameWhereNoOverlapIsClose) {
  VULTUS_NEED_GPU(device);
  // Ten heaps of boxes that lie far apart; within a heap they overlap by more than half.
  Tensor boxes(DType::f32, {1, 100, 4});
  for (size_t i = 0; i < 100; ++i) {
    float x = static_cast<float>(i % 10) * 20, y = static_cast<float>(i / 10) * 0.125f;
    for (size_t k = 0; k < 4; ++k)
      boxes.as<float>()[4 * i + k] = (k % 2 == 0 ? y : x) + (k < 2 ? 0.0f : 10.0f);
  }
  expect_suppression(device, boxes, test::random_halves({1, 1, 100}, 5, 0, 1), {50, 0.5f, 0.25f},
                     {Precision::fp32, Precision::fp16});
}

TEST(GpuNonMaxSuppression, LimitsThresholdsAndTies) {
  VULTUS_NEED_GPU(device);
  Tensor boxes = random_boxes(1, 200, 7, false);
  Tensor scores = test::random_halves({1, 1, 200}, 8, -1, 1);
  for (float& v : scores.as<float>())
    v = static_cast<float>(static_cast<int>(v * 4)) / 4;  // many equal scores
  expect_suppression(device, boxes, scores, {3, 0.5f, 0.0f}, {Precision::fp32});
  expect_suppression(device, boxes, scores, {200, 0.5f, std::nullopt}, {Precision::fp32});
  expect_suppression(device, boxes, scores, {200, std::nullopt, std::nullopt}, {Precision::fp32});
  expect_suppression(device, boxes, scores, {1000, 1.0f, -0.5f}, {Precision::fp32});
  expect_suppression(device, boxes, scores, {10, 0.5f, 2.0f}, {Precision::fp32});  // nothing
}

TEST(GpuNonMaxSuppression, ComputedThresholdsAreRefusedWithTheReason) {
  VULTUS_NEED_GPU(device);
  std::vector<test::Operand> operands;
  operands.push_back({random_boxes(1, 10, 1, false)});
  operands.push_back({test::random_halves({1, 1, 10}, 1)});
  operands.push_back(test::constant(Tensor::of<int64_t>({1}, {3})));
  operands.push_back({Tensor::of<float>({1}, {0.5f})});
  auto graph = test::single_node("NonMaxSuppression", {}, operands);
  ASSERT_TRUE(graph) << graph.error().what;
  Support support = device.supports(*graph, graph->nodes[0], Precision::fp32);
  EXPECT_FALSE(support.ok);
  EXPECT_NE(support.reason.find("threshold"), std::string::npos) << support.reason;
}

}  // namespace
}  // namespace vultus
