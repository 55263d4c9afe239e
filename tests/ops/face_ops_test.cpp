#include <array>
#include <cmath>
#include <limits>

#include "host/ops/faces.hpp"
#include "tests/ops/run_op.hpp"

namespace vultus::test {
namespace {

Tensor size_of(int32_t height, int32_t width) {
  return Tensor::of<int32_t>({2}, {height, width});
}
Tensor face(std::array<float, 4> box, float found = 1) {
  Tensor row(DType::f32, {1, kFaceRow});
  std::ranges::fill(row.as<float>(), 0.0f);
  std::ranges::copy(std::array{box[0], box[1], box[2], box[3], 0.5f, found},
                    row.as<float>().begin());
  return row;
}
/// Without its points.
std::vector<float> head(const std::vector<float>& face) {
  return {face.begin(), face.begin() + 6};
}

/// Rows of a detector: boxes in a region of 192 pixels, then one that holds nothing.
Tensor rows_of(const std::vector<std::array<float, 4>>& boxes) {
  Tensor rows(DType::f32, {static_cast<int64_t>(boxes.size()) + 1, 16});
  std::ranges::fill(rows.as<float>(), 0.0f);
  for (size_t r = 0; r < boxes.size(); ++r) {
    std::ranges::copy(boxes[r], rows.as<float>().begin() + static_cast<std::ptrdiff_t>(16 * r));
    rows.as<float>()[16 * r + 4] = 0.9f - 0.1f * static_cast<float>(r);
  }
  rows.as<float>()[16 * boxes.size() + 15] = -1;
  return rows;
}

struct Followed {
  std::vector<float> face, next;
};

Followed follow(Tensor rows, Tensor before,
                const Tensor& region = floats({1, 5}, {500, 400, 384, 384, 2}),
                const Tensor& size = size_of(1080, 1920)) {
  auto made =
      run_op("FaceFollow",
             {{"pixels", int64_t{192}}, {"overlap", 0.3f}, {"per_side", 2.0f}, {"smallest", 96.0f}},
             operands(std::move(rows), region.clone(), std::move(before), size.clone()), 2);
  if (!made) {
    ADD_FAILURE() << made.error().what;
    return {std::vector<float>(kFaceRow), std::vector<float>(5)};
  }
  return {values<float>((*made)[0]), values<float>((*made)[1])};
}

TEST(FaceFollow, TheFaceThatOverlapsTheOneBeforeMostIsTakenIntoTheFrame) {
  // The region's first pixel is (308, 208), a pixel of the detector two of the frame.
  const Followed found = follow(rows_of({{0, 0, 40, 40}, {50, 50, 140, 150}, {48, 48, 96, 96}}),
                                face({405, 305, 590, 510}));
  EXPECT_EQ(head(found.face), (std::vector<float>{408.5f, 308.5f, 588.5f, 508.5f, 0.9f - 0.1f, 1}));
  EXPECT_EQ(found.face[6], 308.5f) << "points are brought into the frame too";
  EXPECT_EQ(found.face[15], 208.5f);
  // 200 high: the next region is twice that, around (498.5, 408.5), and of the picture after.
  EXPECT_EQ(found.next, (std::vector<float>{499, 409, 400, 400, 3}));
}

TEST(FaceFollow, OfTwoFacesThatOverlapItTheOneWithItsPointsIsTaken) {
  Tensor rows = rows_of({{50, 50, 140, 150}, {40, 50, 130, 150}});
  auto r = rows.as<float>();
  Tensor before = face({408, 308, 588, 508});  // the first row's box, the second one's points
  for (size_t k = 0; k < 10; ++k) {
    r[5 + k] = 120;
    r[16 + 5 + k] = 80 + 2 * static_cast<float>(k);
    before.as<float>()[6 + k] = (r[16 + 5 + k] + 0.5f) * 2 - 0.5f + (k % 2 == 0 ? 308 : 208);
  }
  const Followed found = follow(rows.clone(), before.clone());
  EXPECT_EQ(found.face[0], 388.5f);
  EXPECT_EQ(found.face[6], before.as<float>()[6]);
  std::ranges::fill(r.subspan(5, 10), 80.0f);
  std::ranges::fill(r.subspan(16 + 5, 10), 80.0f);
  EXPECT_EQ(follow(std::move(rows), std::move(before)).face[0], 408.5f) << "points tell nothing";
}

TEST(Likeness, IsOneOfTheSameFaceAndHalfTheOverlapWherePointsAreFar) {
  FacePlace before{{0, 0, 100, 100},
                   std::array<double, 10>{30, 40, 70, 40, 50, 60, 35, 80, 65, 80}};
  EXPECT_EQ(likeness(before, before), 1);
  FacePlace moved = before;
  for (double& v : *moved.points)
    v += 1e6;
  EXPECT_NEAR(likeness(moved, before), 0.5, 1e-12);
  moved = before;
  for (size_t k = 0; k < 10; k += 2)
    (*moved.points)[k] += 100 * kPointSpread;
  EXPECT_NEAR(likeness(moved, before), (1 + std::exp(-0.5)) / 2, 1e-12);
  (*moved.points)[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(likeness(moved, before), 1) << "what is no number tells nothing";
  moved.points.reset();
  EXPECT_EQ(likeness(moved, before), 1) << "boxes alone";
  before.box = {};
  EXPECT_EQ(likeness(before, before), 0);
}

TEST(FaceFollow, AFaceThatIsNotThereKeepsTheBoxBeforeAndIsLookedForThere) {
  std::vector<float> kept{405, 305, 590, 510, 0.5f, 0};
  kept.resize(kFaceRow);
  const std::vector<std::array<float, 4>> right{{50, 50, 140, 150}};
  const Tensor before = face({405, 305, 590, 510});
  EXPECT_EQ(follow(rows_of({}), before.clone()).face, kept) << "nothing found";
  EXPECT_EQ(follow(rows_of({{0, 0, 40, 40}}), before.clone()).face, kept) << "another face";
  EXPECT_EQ(follow(rows_of(right), face({405, 305, 590, 510}, 0)).face, kept) << "lost before";
  const Tensor outside = floats({1, 5}, {-192, 400, 384, 384, 2});
  EXPECT_EQ(follow(rows_of(right), before.clone(), outside).face, kept) << "outside the frame";
  EXPECT_EQ(follow(rows_of({{50, 50, 140, 150}}), before.clone(),
                   floats({1, 5}, {500, 400, 384, 384, 2}), size_of(400, 1920))
                .face,
            kept)
      << "its middle is below the frame";
  EXPECT_EQ(follow(rows_of({}), before.clone()).next, (std::vector<float>{498, 408, 410, 410, 3}));
}

TEST(FaceFollow, RegionsAreNeitherTinyNorWiderThanTwoFrames) {
  EXPECT_EQ(follow(rows_of({}), face({10, 10, 14, 14})).next,
            (std::vector<float>{12, 12, 96, 96, 3}));
  EXPECT_EQ(follow(rows_of({}), face({-3000, -3000, 3000, 3000})).next[2], 3840);
}

TEST(FaceFollow, WhatItDoesNotTakeIsRefused) {
  auto refuse = [](Attributes attributes, Tensor rows, Tensor before) {
    return refusal("FaceFollow", std::move(attributes),
                   operands(std::move(rows), floats({1, 5}, {0, 0, 1, 1, 0}), std::move(before),
                            size_of(8, 8)),
                   18, 2);
  };
  const Attributes good{{"pixels", int64_t{192}}};
  expect_in("pixels 0", refuse({}, rows_of({}), face({})));
  expect_in("pixels must be an integer", refuse({{"pixels", 1.0f}}, rows_of({}), face({})));
  expect_in("overlap -1",
            refuse({{"pixels", int64_t{1}}, {"overlap", -1.0f}}, rows_of({}), face({})));
  expect_in("rows 2x15", refuse(good, Tensor(DType::f32, {2, 15}), face({})));
  expect_in("face 1x7", refuse(good, rows_of({}), Tensor(DType::f32, {1, 7})));
}

TEST(FaceCrops, SquaresAroundTheMiddleAndWholePixelsOfTheBox) {
  auto crops = [](const char* side, float per_side) {
    return run_op("FaceCrops", {{"side", std::string(side)}, {"per_side", per_side}},
                  operands(size_of(100, 200), face({10.7f, 20.2f, 50.9f, 100.5f}),
                           face({-9, -5, -1, 90}), face({190, 10, 260, 20})),
                  2);
  };
  auto made = crops("shorter", 1.05f);
  ASSERT_TRUE(made) << made.error().what;
  const std::vector<float> squares = values<float>((*made)[0]), areas = values<float>((*made)[1]);
  ASSERT_EQ(squares.size(), 15u);
  EXPECT_FLOAT_EQ(squares[0], 30.8f);
  EXPECT_FLOAT_EQ(squares[1], 60.35f);
  EXPECT_FLOAT_EQ(squares[2], 1.05f * 40.2f);
  EXPECT_EQ(squares[3], squares[2]);
  EXPECT_EQ(squares[4], 0);
  EXPECT_EQ(squares[14], 2);
  EXPECT_FLOAT_EQ(values<float>((*crops("longer", 1))[0])[2], 80.3f);
  EXPECT_FLOAT_EQ(values<float>((*crops("height", 2))[0])[12], 20);
  ASSERT_EQ(areas.size(), 45u);
  for (size_t k = 0; k < 3; ++k) {
    auto area = [&](size_t f) {
      return std::vector<float>(areas.begin() + static_cast<std::ptrdiff_t>(5 * (3 * f + k)),
                                areas.begin() + static_cast<std::ptrdiff_t>(5 * (3 * f + k) + 5));
    };
    EXPECT_EQ(area(0), (std::vector<float>{30, 60, 40, 80, 0})) << "10..50 and 20..100";
    EXPECT_EQ(area(1), (std::vector<float>{0.5f, 0.5f, 1, 1, 1})) << "nothing of it is left";
    EXPECT_EQ(area(2), (std::vector<float>{195, 15, 10, 10, 2})) << "cut off at the border";
  }
}

TEST(FaceCrops, WhatItDoesNotTakeIsRefused) {
  auto refuse = [](Attributes attributes, std::vector<Operand> inputs) {
    return refusal("FaceCrops", std::move(attributes), inputs, 18, 2);
  };
  expect_in("side is 'left'",
            refuse({{"side", std::string("left")}}, operands(size_of(8, 8), face({}))));
  expect_in("per_side 0", refuse({{"per_side", 0.0f}}, operands(size_of(8, 8), face({}))));
  expect_in("every face", refuse({}, operands(size_of(8, 8), Tensor(DType::f32, {2, kFaceRow}))));
  std::vector<Operand> many = operands(size_of(8, 8));
  for (int64_t i = 0; i <= kMostFaces; ++i)
    many.push_back({face({}), true});
  EXPECT_NE(refuse({}, std::move(many)), "");
}

Attributes three_points() {
  return {{"points", int64_t{3}},
          {"gain", 1.0f},
          {"bias", -0.5f},
          {"slowest", 0.2f},
          {"expression", 0.05f},
          {"eyes", std::vector<int64_t>{0, 1, 1, 1}},
          {"middle", std::vector<int64_t>{0, 1, 2}}};
}

std::vector<float> lines_of(const Tensor& points, const Tensor& state) {
  return values<float>(run(
      "FaceMirrors", three_points(),
      operands(points.clone(), floats({1, 5}, {100, 100, 100, 100, 0}),
               floats({3, 5}, {130, 90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}), state.clone())));
}

TEST(FaceMirrors, WithoutAStateTheMidlineIsThatOfThePointsThemselves) {
  // Eyes at (80, 80) and (120, 80), the chin at (100, 140).
  const std::vector<float> lines =
      lines_of(floats({1, 3, 2}, {0.3f, 0.3f, 0.7f, 0.3f, 0.5f, 0.9f}), Tensor(DType::f32, {7, 2}));
  const std::vector<float> expected{0, 0, 0, 0, 0, 100, 90, -1, 0, -1, 100, 90, -1, 0, 1};
  ASSERT_EQ(lines.size(), expected.size());
  for (size_t i = 0; i < lines.size(); ++i)
    EXPECT_NEAR(lines[i], expected[i], 1e-4) << i;
}

TEST(FaceMirrors, ASmallChangeCountsAsSlowestSays) {
  // The same points before, but smoothed ones that lie 1 to the right: of the change a fifth and
  // what (1 / (0.05 * 40))^2 of the rest is.
  const Tensor state = floats({7, 2}, {1, 0, 80, 80, 120, 80, 100, 140, 81, 80, 121, 80, 101, 140});
  const std::vector<float> lines =
      lines_of(floats({3, 2}, {0.3f, 0.3f, 0.7f, 0.3f, 0.5f, 0.9f}), state);
  EXPECT_NEAR(lines[5], 101 - (0.2 + 0.8 * 0.25), 1e-4);
}

TEST(FaceMirrors, PointsInOnePlaceHaveNoMidline) {
  const std::vector<float> lines =
      lines_of(floats({3, 2}, {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f}), Tensor(DType::f32, {7, 2}));
  EXPECT_EQ(lines, std::vector<float>(15));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(
      lines_of(floats({3, 2}, {nan, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f}), Tensor(DType::f32, {7, 2})),
      std::vector<float>(15));
}

TEST(FaceMirrors, WhatItDoesNotTakeIsRefused) {
  auto refuse = [](std::string key, Attribute value) {
    Attributes attributes = three_points();
    attributes[key] = std::move(value);
    return refusal("FaceMirrors", std::move(attributes),
                   operands(Tensor(DType::f32, {3, 2}), Tensor(DType::f32, {1, 5}),
                            Tensor(DType::f32, {3, 5}), Tensor(DType::f32, {7, 2})));
  };
  EXPECT_EQ(refuse("gain", 2.0f), "");
  expect_in("points 0", refuse("points", int64_t{0}));
  expect_in("points 129", refuse("points", int64_t{129}));
  expect_in("state 7x2", refuse("points", int64_t{4}));
  expect_in("eyes", refuse("eyes", std::vector<int64_t>{0, 4, 1, 1}));
  expect_in("eyes must be 4", refuse("eyes", std::vector<int64_t>{0, 1}));
  expect_in("middle", refuse("middle", std::vector<int64_t>{0, 1, 3}));
}

}  // namespace
}  // namespace vultus::test
