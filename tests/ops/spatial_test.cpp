#include <cmath>

#include "host/ops/resize.hpp"
#include "tests/ops/run_op.hpp"

namespace vultus::test {
namespace {

using F = std::vector<float>;
using I = std::vector<int64_t>;
using S = std::string;

Tensor no_roi() {
  return Tensor(DType::f32, {0});
}

Tensor resized(Attributes attributes, const Tensor& x, std::initializer_list<float> scales) {
  return run("Resize", std::move(attributes),
             operands(x.clone(), no_roi(), floats({static_cast<int64_t>(scales.size())}, scales)));
}

TEST(Resize, NearestRoundingsOfTheSpecification) {
  Tensor x = iota({1, 1, 1, 4});
  auto with = [&](const S& coordinates, const S& nearest, float scale) {
    return values<float>(
        resized({{"coordinate_transformation_mode", coordinates}, {"nearest_mode", nearest}}, x,
                {1, 1, 1, scale}));
  };
  EXPECT_EQ(with("asymmetric", "floor", 2), (F{0, 0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(with("asymmetric", "ceil", 2), (F{0, 1, 1, 2, 2, 3, 3, 3}));
  EXPECT_EQ(with("asymmetric", "round_prefer_floor", 2), (F{0, 0, 1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(with("asymmetric", "round_prefer_ceil", 2), (F{0, 1, 1, 2, 2, 3, 3, 3}));
  EXPECT_EQ(with("half_pixel", "round_prefer_floor", 0.5f), (F{0, 2}));
  EXPECT_EQ(with("half_pixel", "round_prefer_ceil", 0.5f), (F{1, 3}));
  EXPECT_EQ(with("align_corners", "floor", 0.5f), (F{0, 3}));
  EXPECT_EQ(with("pytorch_half_pixel", "floor", 0.25f), (F{0}));
}

TEST(Resize, LinearMatchesTheReference) {
  Tensor x = random_tensor({1, 2, 4, 5}, 3);
  Tensor y = run("Resize", {{"mode", S("linear")}},
                 operands(x.clone(), no_roi(), Tensor{}, ints({1, 2, 7, 3})));
  ASSERT_EQ(y.shape(), (Shape{1, 2, 7, 3}));
  auto at = [&](int64_t c, int64_t i, int64_t j) {
    i = std::clamp<int64_t>(i, 0, 3);
    j = std::clamp<int64_t>(j, 0, 4);
    return static_cast<double>(x.as<float>()[static_cast<size_t>((c * 4 + i) * 5 + j)]);
  };
  for (int64_t c = 0; c < 2; ++c)
    for (int64_t i = 0; i < 7; ++i)
      for (int64_t j = 0; j < 3; ++j) {
        const double v = (static_cast<double>(i) + 0.5) * 4 / 7 - 0.5;
        const double u = (static_cast<double>(j) + 0.5) * 5 / 3 - 0.5;
        const auto top = static_cast<int64_t>(std::floor(v)),
                   left = static_cast<int64_t>(std::floor(u));
        const double q = v - std::floor(v), p = u - std::floor(u);
        const double expected = (1 - q) * ((1 - p) * at(c, top, left) + p * at(c, top, left + 1)) +
                                q * ((1 - p) * at(c, top + 1, left) + p * at(c, top + 1, left + 1));
        // Positions and weights are floats.
        EXPECT_NEAR(static_cast<double>(y.as<float>()[static_cast<size_t>((c * 7 + i) * 3 + j)]),
                    expected, 2e-6);
      }
}

TEST(Resize, CubicWithKeysCoefficientReproducesALine) {
  Tensor y =
      resized({{"mode", S("cubic")}, {"cubic_coeff_a", -0.5f}}, iota({1, 1, 1, 16}), {1, 1, 1, 2});
  // With a = -0.5 the kernel reproduces linear functions away from the borders.
  for (size_t i = 6; i < 26; ++i)
    EXPECT_NEAR(y.as<float>()[i], static_cast<float>(i) / 2 - 0.25f, 1e-5f);
}

TEST(Resize, Opset10AndUpsampleCountFromTheFirstCorner) {
  Tensor x = iota({1, 1, 1, 2});
  EXPECT_EQ(values<float>(run("Resize", {}, operands(x.clone(), floats({4}, {1, 1, 1, 2})), 10)),
            (F{0, 0, 1, 1}));
  EXPECT_EQ(values<float>(run("Upsample", {{"mode", S("linear")}},
                              operands(x.clone(), floats({4}, {1, 1, 1, 2})), 9)),
            (F{0, 0.5f, 1, 1}));
}

TEST(Resize, AxesOfOpset18LimitTheSizes) {
  EXPECT_EQ(
      run("Resize", {{"axes", I{-1}}}, operands(iota({1, 1, 3, 4}), Tensor{}, Tensor{}, ints({8})))
          .shape(),
      (Shape{1, 1, 3, 8}));
}

TEST(Resize, BadScalesAreRefused) {
  auto with = [](float scale) {
    return refusal("Resize", {},
                   operands(iota({1, 1, 2, 2}), no_roi(), floats({4}, {1, 1, 1, scale})));
  };
  for (float scale : {0.0f, -1.0f, 0.1f, NAN, INFINITY, 1e30f})
    expect_in("cannot be scaled by", with(scale));
  expect_in("not a size this engine accepts", with(5e8f));
  expect_in("2 scales for 4 axes",
            refusal("Resize", {}, operands(iota({1, 1, 2, 2}), no_roi(), floats({2}, {1, 2}))));
  expect_in("needs scales or sizes", refusal("Resize", {}, operands(iota({1, 1, 2, 2}))));
  expect_in(
      "cannot be resized from 2 to 0",
      refusal("Resize", {}, operands(iota({1, 1, 2, 2}), Tensor{}, Tensor{}, ints({1, 1, 2, 0}))));
}

TEST(Resize, UnsupportedModesAreRefused) {
  auto with = [](Attributes attributes) {
    return refusal("Resize", std::move(attributes),
                   operands(iota({1, 1, 2, 2}), no_roi(), floats({4}, {1, 1, 2, 2})));
  };
  expect_in("a roi of 0 numbers for 4 axes",
            with({{"coordinate_transformation_mode", S("tf_crop_and_resize")}}));
  expect_in("'middle' is not supported", with({{"coordinate_transformation_mode", S("middle")}}));
  expect_in("'fit' is not supported", with({{"keep_aspect_ratio_policy", S("fit")}}));
  expect_in("mode 'area'", with({{"mode", S("area")}}));
  expect_in("antialias needs mode linear or cubic", with({{"antialias", int64_t{1}}}));
}

TEST(Resize, AntialiasWidensTheKernelByTheScale) {
  // Triangle of half width 2 around 0.5 and 2.5: weights 1 3 3 1; beyond the border it repeats.
  EXPECT_EQ(values<float>(resized({{"mode", S("linear")}, {"antialias", int64_t{1}}},
                                  iota({1, 1, 1, 4}), {1, 1, 1, 0.5f})),
            (F{(0 + 0 * 3 + 1 * 3 + 2) / 8.0f, (1 + 2 * 3 + 3 * 3 + 3) / 8.0f}));
}

TEST(Resize, KeepsTheAspectByOneScale) {
  auto with = [](const S& policy) {
    return run("Resize", {{"axes", I{2, 3}}, {"keep_aspect_ratio_policy", policy}},
               operands(iota({1, 1, 4, 6}), Tensor{}, Tensor{}, ints({6, 6})))
        .shape();
  };
  EXPECT_EQ(with("stretch"), (Shape{1, 1, 6, 6}));
  EXPECT_EQ(with("not_larger"), (Shape{1, 1, 4, 6}));
  EXPECT_EQ(with("not_smaller"), (Shape{1, 1, 6, 9}));
}

TEST(Resize, CropsByFractionsAndFillsWhatLiesOutside) {
  Tensor y = run("Resize",
                 {{"mode", S("linear")},
                  {"coordinate_transformation_mode", S("tf_crop_and_resize")},
                  {"extrapolation_value", -7.0f},
                  {"axes", I{1}}},
                 operands(iota({2, 5}), floats({2}, {0.5f, 1.5f}), Tensor{}, ints({3})));
  EXPECT_EQ(values<float>(y), (F{2, 4, -7, 7, 9, -7}));
}

TEST(Resize, SymmetricHalfPixelsKeepTheCentre) {
  // 5 * 0.5 is rounded down to 2: plain half pixels would read 0.5 and 2.5 of 0..4.
  EXPECT_EQ(values<float>(resized({{"mode", S("linear")},
                                   {"coordinate_transformation_mode", S("half_pixel_symmetric")}},
                                  iota({1, 5}), {1, 0.5f})),
            (F{1, 3}));
}

TEST(DepthToSpace, BothOrdersOfTheSpecification) {
  Tensor x = iota({1, 8, 1, 1});
  EXPECT_EQ(values<float>(run("DepthToSpace", {{"blocksize", int64_t{2}}}, operands(x.clone()))),
            (F{0, 2, 4, 6, 1, 3, 5, 7}));
  EXPECT_EQ(values<float>(run("DepthToSpace", {{"blocksize", int64_t{2}}, {"mode", S("CRD")}},
                              operands(x.clone()))),
            (F{0, 1, 2, 3, 4, 5, 6, 7}));
  expect_in("8 channels are no multiple of 3 x 3",
            refusal("DepthToSpace", {{"blocksize", int64_t{3}}}, operands(x.clone())));
  expect_in("blocksize 0", refusal("DepthToSpace", {}, operands(x.clone())));
}

TEST(SpaceToDepth, UndoesDepthToSpace) {
  Tensor x = random_tensor({2, 12, 3, 2}, 4);
  Tensor wide = run("DepthToSpace", {{"blocksize", int64_t{2}}}, operands(x.clone()));
  Tensor back = run("SpaceToDepth", {{"blocksize", int64_t{2}}}, operands(std::move(wide)));
  EXPECT_EQ(values<float>(back), values<float>(x));
}

TEST(Split, SizesComeFromAttributeInputOrEqualParts) {
  auto sizes = [](Attributes attributes, std::vector<Operand> inputs, size_t outputs, int opset) {
    auto parts = run_op("Split", std::move(attributes), inputs, outputs, opset);
    I out;
    if (!parts) return ADD_FAILURE() << parts.error().what, out;
    for (const Tensor& t : *parts)
      out.push_back(t.shape()[0]);
    return out;
  };
  EXPECT_EQ(sizes({{"split", I{2, 4}}}, operands(iota({6})), 2, 11), (I{2, 4}));
  EXPECT_EQ(sizes({}, operands(iota({6}), ints({1, 5})), 2, 13), (I{1, 5}));
  EXPECT_EQ(sizes({}, operands(iota({6})), 3, 13), (I{2, 2, 2}));
  EXPECT_EQ(sizes({{"num_outputs", int64_t{4}}}, operands(iota({7})), 4, 18), (I{2, 2, 2, 1}));
}

TEST(Split, CopiesAlongAnInnerAxis) {
  auto parts = run_op("Split", {{"axis", int64_t{1}}}, operands(iota({2, 3}), ints({1, 2})), 2);
  ASSERT_TRUE(parts);
  EXPECT_EQ(values<float>((*parts)[0]), (F{0, 3}));
  EXPECT_EQ(values<float>((*parts)[1]), (F{1, 2, 4, 5}));
}

TEST(Split, BadSizesAreRefused) {
  expect_in("sum to 5, the axis has 6",
            refusal("Split", {}, operands(iota({6}), ints({2, 3})), 13, 2));
  expect_in("split size 7", refusal("Split", {}, operands(iota({6}), ints({7, -1})), 13, 2));
  expect_in("3 split sizes for 2 outputs",
            refusal("Split", {}, operands(iota({6}), ints({2, 2, 2})), 13, 2));
  expect_in("into 4 equal parts", refusal("Split", {}, operands(iota({6})), 13, 4));
}

TEST(ScatterND, WritesRowsByIndex) {
  EXPECT_EQ(values<float>(run(
                "ScatterND", {},
                operands(iota({3, 2}), Tensor::of<int64_t>({1, 1}, {-1}), floats({1, 2}, {8, 9})))),
            (F{0, 1, 2, 3, 8, 9}));
  expect_in(
      "index 3 is out of range",
      refusal("ScatterND", {},
              operands(iota({3, 2}), Tensor::of<int64_t>({1, 1}, {3}), floats({1, 2}, {8, 9}))));
  expect_in("updates have shape 2",
            refusal("ScatterND", {},
                    operands(iota({3, 2}), Tensor::of<int64_t>({1, 1}, {0}), floats({2}, {8, 9}))));
}

}  // namespace
}  // namespace vultus::test
