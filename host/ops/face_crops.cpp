#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/ops/attribute_types.hpp"
#include "host/ops/faces.hpp"

namespace vultus {

namespace {

void write_square(const FaceCrops& crops, const float* face, size_t picture, float* to) {
  const double width = double{face[2]} - double{face[0]},
               height = double{face[3]} - double{face[1]};
  double side = height;
  if (crops.side == FaceCrops::Side::shorter) side = std::min(width, height);
  if (crops.side == FaceCrops::Side::longer) side = std::max(width, height);
  to[0] = static_cast<float>((double{face[0]} + double{face[2]}) / 2);
  to[1] = static_cast<float>((double{face[1]} + double{face[3]}) / 2);
  to[2] = to[3] = static_cast<float>(double{crops.per_side} * side);
  to[4] = static_cast<float>(picture);
}

/// Whole pixels of an axis: first and number.
std::array<float, 2> inside(float first, float last, int32_t limit) {
  auto cut = [&](float v) {
    return std::isfinite(v) ? std::trunc(std::clamp(v, 0.0f, static_cast<float>(limit))) : 0.0f;
  };
  return {cut(first), std::max(0.0f, cut(last) - cut(first))};
}

void write_area(const float* face, int32_t height, int32_t width, size_t picture, float* to) {
  std::array<float, 2> x = inside(face[0], face[2], width), y = inside(face[1], face[3], height);
  if (x[1] == 0 || y[1] == 0) x = y = {0, 1};
  to[0] = x[0] + x[1] / 2;
  to[1] = y[0] + y[1] / 2;
  to[2] = x[1];
  to[3] = y[1];
  to[4] = static_cast<float>(picture);
}

Result<void> run(Eval& node, const FaceCrops& crops) {
  const auto size = node.in[0].as<const int32_t>();
  float* square = node.out[0].as<float>().data();
  float* area = node.out[1].as<float>().data();
  for (size_t i = 0; i + 1 < node.in.size(); ++i) {
    const float* face = node.in[i + 1].as<const float>().data();
    write_square(crops, face, i, square);
    square += 5;
    for (int64_t k = 0; k < kFacePictures; ++k, area += 5)
      write_area(face, size[0], size[1], i, area);
  }
  return {};
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(2, 1 + kMostFaces));
  VULTUS_CHECK(node.expect_type(0, {DType::i32}));
  VULTUS_CHECK(face_crops_of(node.node()));
  const auto faces = static_cast<int64_t>(node.inputs()) - 1;
  bool fits = node.shape(0) == Shape{2};
  for (size_t i = 1; i < node.inputs(); ++i) {
    if (!node.has(i)) return node.fail(fmt::format("face {} is left out", i - 1));
    VULTUS_CHECK(node.expect_type(i, {DType::f32}));
    fits = fits && node.shape(i) == Shape{1, kFaceRow};
  }
  if (!fits) return node.fail(fmt::format("the size must be [2], every face [1,{}]", kFaceRow));
  VULTUS_CHECK(node.set(0, DType::f32, {faces, 5}));
  return node.set(1, DType::f32, {kFacePictures * faces, 5});
}

Result<Prepared> prepare(const Eval& node) {
  VULTUS_TRY(FaceCrops crops, face_crops_of(node.node));
  return Prepared{[crops](Eval& eval) { return run(eval, crops); }, 0};
}

const Register face_crops({.name = "FaceCrops",
                           .infer = infer,
                           .prepare = prepare,
                           .limits = "ours: what networks see of faces, at most 32"});

}  // namespace

Result<FaceCrops> face_crops_of(const Node& node) {
  VULTUS_CHECK(expect_attribute<std::string>(node, "side"));
  VULTUS_CHECK(expect_attribute<float>(node, "per_side"));
  FaceCrops crops;
  const std::string side = node.text("side", "longer");
  if (side == "shorter")
    crops.side = FaceCrops::Side::shorter;
  else if (side == "height")
    crops.side = FaceCrops::Side::height;
  else if (side != "longer")
    return fail(node, fmt::format("side is '{}': must be shorter, longer or height", side));
  crops.per_side = node.real("per_side", crops.per_side);
  if (!(crops.per_side > 0))
    return fail(node, fmt::format("per_side {} must be more than 0", crops.per_side));
  return crops;
}

}  // namespace vultus
