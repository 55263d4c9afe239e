#include <cmath>
#include <random>

#include "tests/ops/run_op.hpp"

namespace vultus::test {
namespace {

using I = std::vector<int64_t>;

Tensor six_boxes() {
  return floats({1, 6, 4}, {0, 0,    1, 1,    0, 0.1f,  1, 1.1f,  0, -0.1f, 1, 0.9f,
                            0, 10.f, 1, 11.f, 0, 10.1f, 1, 11.1f, 0, 100.f, 1, 101.f});
}
Tensor six_scores() {
  return floats({1, 1, 6}, {0.9f, 0.75f, 0.6f, 0.95f, 0.5f, 0.3f});
}

TEST(NonMaxSuppression, ExampleOfTheSpecification) {
  Tensor kept =
      run("NonMaxSuppression", {},
          operands(six_boxes(), six_scores(), ints({3}), floats({1}, {0.5f}), floats({1}, {0})));
  EXPECT_EQ(kept.shape(), (Shape{3, 3}));
  EXPECT_EQ(values<int64_t>(kept), (I{0, 0, 3, 0, 0, 0, 0, 0, 5}));
}

TEST(NonMaxSuppression, ScoreThresholdAndBoxLimitShortenTheList) {
  EXPECT_EQ(values<int64_t>(run("NonMaxSuppression", {},
                                operands(six_boxes(), six_scores(), ints({3}), floats({1}, {0.5f}),
                                         floats({1}, {0.4f})))),
            (I{0, 0, 3, 0, 0, 0}));
  EXPECT_EQ(
      values<int64_t>(run("NonMaxSuppression", {},
                          operands(six_boxes(), six_scores(), ints({1}), floats({1}, {0.5f})))),
      (I{0, 0, 3}));
  EXPECT_EQ(run("NonMaxSuppression", {}, operands(six_boxes(), six_scores())).shape(),
            (Shape{0, 3}));
}

TEST(NonMaxSuppression, CornersMayBeFlippedAndCentresGiven) {
  Tensor flipped = floats({1, 2, 4}, {1, 1, 0, 0, 0, 0.1f, 1, 1.1f});
  Tensor centred = floats({1, 2, 4}, {0.5f, 0.5f, 1, 1, 0.5f, 0.6f, 1, 1});
  Tensor scores = floats({1, 1, 2}, {0.5f, 0.9f});
  auto with = [&](const Tensor& boxes, int64_t form) {
    return values<int64_t>(
        run("NonMaxSuppression", {{"center_point_box", form}},
            operands(boxes.clone(), scores.clone(), ints({5}), floats({1}, {0.5f}))));
  };
  EXPECT_EQ(with(flipped, 0), (I{0, 0, 1}));
  EXPECT_EQ(with(centred, 1), (I{0, 0, 1}));
}

TEST(NonMaxSuppression, EqualScoresKeepTheLowerIndexAndNanIsNoScore) {
  Tensor boxes = floats({1, 3, 4}, {0, 0, 1, 1, 0, 0, 1, 1, 5, 5, 6, 6});
  EXPECT_EQ(values<int64_t>(run("NonMaxSuppression", {},
                                operands(boxes.clone(), floats({1, 1, 3}, {0.5f, 0.5f, NAN}),
                                         ints({9}), floats({1}, {0.5f})))),
            (I{0, 0, 0}));
}

TEST(NonMaxSuppression, ManyClassesAndBatchesMatchTheReference) {
  constexpr int64_t kBatches = 2, kClasses = 3, kBoxes = 40;
  std::mt19937 engine(3);
  std::uniform_real_distribution<float> uniform(0, 1);
  Tensor boxes(DType::f32, {kBatches, kBoxes, 4});
  for (size_t i = 0; i < static_cast<size_t>(kBatches * kBoxes); ++i) {
    const float y = uniform(engine), x = uniform(engine);
    const float box[] = {y, x, y + 0.3f, x + 0.3f};
    std::copy(box, box + 4, boxes.as<float>().begin() + static_cast<std::ptrdiff_t>(4 * i));
  }
  Tensor scores = random_tensor({kBatches, kClasses, kBoxes}, 4, 0, 1);
  Tensor kept = run("NonMaxSuppression", {},
                    operands(boxes.clone(), scores.clone(), ints({10}), floats({1}, {0.3f}),
                             floats({1}, {0.2f})));
  I expected;
  for (int64_t b = 0; b < kBatches; ++b)
    for (int64_t c = 0; c < kClasses; ++c) {
      std::vector<int64_t> chosen;
      std::vector<bool> gone(kBoxes, false);
      while (chosen.size() < 10) {
        int64_t best = -1;
        auto score = [&](int64_t i) {
          return scores.as<float>()[static_cast<size_t>((b * kClasses + c) * kBoxes + i)];
        };
        for (int64_t i = 0; i < kBoxes; ++i)
          if (!gone[static_cast<size_t>(i)] && score(i) > 0.2f &&
              (best < 0 || score(i) > score(best)))
            best = i;
        if (best < 0) break;
        chosen.push_back(best);
        const float* p = &boxes.as<float>()[static_cast<size_t>((b * kBoxes + best) * 4)];
        for (int64_t i = 0; i < kBoxes; ++i) {
          const float* q = &boxes.as<float>()[static_cast<size_t>((b * kBoxes + i) * 4)];
          auto area = [](const float* r) {
            return static_cast<double>(r[2] - r[0]) * static_cast<double>(r[3] - r[1]);
          };
          const double h = static_cast<double>(std::min(p[2], q[2]) - std::max(p[0], q[0]));
          const double w = static_cast<double>(std::min(p[3], q[3]) - std::max(p[1], q[1]));
          const double both = std::max(0.0, h) * std::max(0.0, w);
          if (both / (area(p) + area(q) - both) > 0.3) gone[static_cast<size_t>(i)] = true;
        }
      }
      for (int64_t i : chosen)
        expected.insert(expected.end(), {b, c, i});
    }
  EXPECT_EQ(values<int64_t>(kept), expected);
}

TEST(NonMaxSuppression, RowsAreAnUpperBoundUntilItHasRun) {
  auto graph = single_node("NonMaxSuppression", {},
                           operands(six_boxes(), six_scores(), ints({100}), floats({1}, {0.5f})));
  ASSERT_TRUE(graph);
  EXPECT_EQ(graph->value(graph->outputs[0]).shape, (Shape{6, 3}));
  EXPECT_TRUE(graph->value(graph->outputs[0]).dynamic_rows);
}

TEST(NonMaxSuppression, BadInputsAreRefused) {
  expect_in("must be [batch, boxes, 4]",
            refusal("NonMaxSuppression", {}, operands(iota({1, 5, 4}), iota({1, 1, 6}))));
  expect_in("iou_threshold 2",
            refusal("NonMaxSuppression", {},
                    operands(six_boxes(), six_scores(), ints({3}), floats({1}, {2}))));
}

}  // namespace
}  // namespace vultus::test
