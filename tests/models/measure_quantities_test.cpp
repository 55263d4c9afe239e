#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <numbers>
#include <sstream>

#include "models/measure/quantities.hpp"
#include "tests/models/synthetic_face.hpp"

namespace vultus::measure {
namespace {

struct Values {
  std::map<std::string, SideValues> by_name;  ///< "mrd1 mm"
  double left(const std::string& name) const { return by_name.at(name).left.value(); }
  double right(const std::string& name) const { return by_name.at(name).right.value(); }
};

Values values(const FaceRecord& record, const MeasureOptions& options = synthetic_options()) {
  FaceMeasures measures;
  for (Side side : {Side::left, Side::right}) {
    EyeMeasures& eye = measures.eye(side);
    eye.ear = eye_aspect_ratio(record.face.landmarks,
                               options.sides.half(record.face.landmarks.scheme, side));
    if (eye.ear) eye.closure = eye_closure(*eye.ear, 0.35);
  }
  Values result;
  const auto all = values_of(record, measures, options);
  size_t i = 0;
  for (const Measure& measure : all_measures())
    for (std::string_view unit : units_of(measure.quantity))
      result.by_name[fmt::format("{} {}", measure.name, unit)] = all.at(i++);
  EXPECT_EQ(i, all.size());
  return result;
}

FaceRecord with_scores(Landmarks landmarks) {
  FaceRecord record = record_of(std::move(landmarks));
  record.left.emplace();
  record.right.emplace();
  for (size_t i = 0; i < 8; ++i) {
    record.left->action_units[i] = 0.1f * static_cast<float>(i);
    record.right->action_units[i] = 0.5f;
  }
  return record;
}

TEST(Quantities, ASymmetricFaceHasEqualSides) {
  const Values all = values(record_of(place({}, {2.2, 0.3, {600, 350}})));
  for (const auto& [name, value] : all.by_name) {
    if (name.starts_with("AU")) continue;
    ASSERT_TRUE(value.left && value.right) << name;
    EXPECT_NEAR(*value.left, *value.right, 1e-6) << name;
  }
}

TEST(Quantities, MovingTurningAndScalingThePictureChangesNothing) {
  SyntheticFace palsy;
  palsy.gap_left = 6;
  palsy.brow_right = 4;
  palsy.corner_left = {5, -6};
  palsy.lips_apart = 8;
  const Values reference = values(record_of(place(palsy)));
  for (const Placement& placement :
       {Placement{0.7, 0, {640, 300}}, Placement{2, 0.5, {640, 300}},
        Placement{3.1, -1.2, {100, 90}}, Placement{2, std::numbers::pi, {640, 300}}}) {
    const Values moved = values(record_of(place(palsy, placement)));
    for (const auto& [name, value] : reference.by_name) {
      if (name.starts_with("AU")) continue;
      EXPECT_NEAR(*moved.by_name.at(name).left, *value.left, 1e-6) << name;
      EXPECT_NEAR(*moved.by_name.at(name).right, *value.right, 1e-6) << name;
    }
  }
}

TEST(Quantities, KnownAsymmetriesAreMeasuredInMillimetres) {
  SyntheticFace palsy;
  palsy.gap_left = 6;
  palsy.brow_right = 4;
  palsy.corner_left = {5, -6};
  const Values all = values(record_of(place(palsy, {1.3, 0.2, {600, 300}})));
  EXPECT_NEAR(all.right("palpebral_fissure mm"), 10, 1e-6);
  EXPECT_NEAR(all.left("palpebral_fissure mm"), 6, 1e-6);
  EXPECT_NEAR(all.left("mrd1 mm"), 3, 1e-6);
  EXPECT_NEAR(all.left("mrd2 mm"), 3, 1e-6);
  EXPECT_NEAR(all.right("brow_height mm") - all.left("brow_height mm"), 4, 1e-6);
  EXPECT_NEAR(all.right("commissure_height mm"), -62, 1e-6);
  EXPECT_NEAR(all.left("commissure_height mm"), -56, 1e-6);
  EXPECT_NEAR(all.right("oral_commissure mm"), std::hypot(25, 12), 1e-6);
  EXPECT_NEAR(all.left("oral_commissure mm"), std::hypot(30, 18), 1e-6);
  EXPECT_NEAR(all.right("canthus_to_commissure mm"), std::hypot(7.5, 62), 1e-6);
  EXPECT_NEAR(all.left("canthus_to_commissure mm"), std::hypot(12.5, 56), 1e-6);
  EXPECT_NEAR(all.left("smile_angle deg"), 90 + std::atan2(18, 30) * 180 / std::numbers::pi, 1e-6);
  EXPECT_NEAR(all.right("smile_angle deg"), 90 + std::atan2(12, 25) * 180 / std::numbers::pi, 1e-6);
  // Hexagon with corners 28 apart and its four lid points 16 apart at half the gap.
  EXPECT_NEAR(all.right("eye_area mm2"), 10 * (28 + 16) / 2.0, 1e-6);
  EXPECT_NEAR(all.left("eye_area mm2"), 6 * (28 + 16) / 2.0, 1e-6);
  EXPECT_NEAR(all.left("palpebral_fissure icd"), 6 / 35.0, 1e-9);
  EXPECT_NEAR(all.left("eye_area icd2"), 6 * 22 / (35.0 * 35.0), 1e-9);
  EXPECT_NEAR(all.right("eye_aspect_ratio 1"), 10 / std::hypot(28, 1), 1e-9);
}

TEST(Quantities, DentalShowIsSplitAtTheFacialMidlineNotAtTheMouths) {
  SyntheticFace face;
  face.lips_apart = 8;
  Landmarks points = place(face, {1});
  const Values before = values(record_of(points));
  // Hexagon: 44 wide, 20 wide where the lips are 8 apart.
  EXPECT_NEAR(before.left("dental_show mm2"), 8 * (44 + 20) / 4.0, 1e-6);
  for (size_t i = 88; i <= 95; ++i)
    points.points[i].x += 10;  // the mouth drawn to the subject's left
  const Values drawn = values(record_of(points));
  EXPECT_NEAR(drawn.left("dental_show mm2") + drawn.right("dental_show mm2"),
              2 * before.left("dental_show mm2"), 1e-6);
  EXPECT_NEAR(drawn.right("dental_show mm2"), 12 * 8 / 2.0, 1e-6);
}

TEST(Quantities, ThePupilDistanceScalesMillimetresAndNothingElse) {
  MeasureOptions wide = synthetic_options();
  wide.pupil_distance_mm = 70;
  const FaceRecord record = record_of(place({}));
  const Values usual = values(record), scaled = values(record, wide);
  EXPECT_NEAR(scaled.left("palpebral_fissure mm"), usual.left("palpebral_fissure mm") * 70 / 63,
              1e-9);
  EXPECT_NEAR(scaled.left("eye_area mm2"), usual.left("eye_area mm2") * 4900 / 3969, 1e-9);
  EXPECT_EQ(scaled.left("palpebral_fissure icd"), usual.left("palpebral_fissure icd"));
  EXPECT_EQ(scaled.left("smile_angle deg"), usual.left("smile_angle deg"));
}

TEST(Quantities, AMirroredInputGivesTheSubjectsOwnSides) {
  SyntheticFace palsy;
  palsy.gap_left = 6;
  palsy.corner_left = {5, -6};
  palsy.lips_apart = 6;
  const Landmarks camera = place(palsy);
  Landmarks selfie = camera;  // flipped, as the network would number the points in it
  for (int i = 0; i < 98; ++i) {
    const Point p = camera[static_cast<size_t>(mirror_partner(i))];
    selfie.points[static_cast<size_t>(i)] = {kSyntheticWidth - 1 - p.x, p.y};
  }
  MeasureOptions mirrored = synthetic_options();
  mirrored.sides.mirrored_input = true;
  const Values expected = values(record_of(camera)), got = values(record_of(selfie), mirrored);
  for (const auto& [name, value] : expected.by_name) {
    if (name.starts_with("AU")) continue;
    EXPECT_NEAR(*got.by_name.at(name).left, *value.left, 1e-6) << name;
    EXPECT_NEAR(*got.by_name.at(name).right, *value.right, 1e-6) << name;
  }
}

TEST(Quantities, ScoresOfHalfFacesAreTheSubjectsSides) {
  const Values all = values(with_scores(place({})));
  EXPECT_NEAR(all.left("AU12 score"), 0.5, 1e-6);
  EXPECT_NEAR(all.left("AU26 score"), 0.7, 1e-6);
  EXPECT_NEAR(all.right("AU12 score"), 0.5, 1e-6);
  EXPECT_NEAR(all.left("AU01 score"), 0, 1e-6);
  const Values none = values(record_of(place({})));
  EXPECT_FALSE(none.by_name.at("AU12 score").left);
}

TEST(Quantities, SixtyEightPointsGiveWhatTheyShareWithNinetyEight) {
  SyntheticFace palsy;
  palsy.corner_left = {5, -6};
  palsy.lips_apart = 6;
  const Landmarks wflw = place(palsy);
  Landmarks ibug{LandmarkScheme::ibug68, std::vector<Point>(68, {640, 300})};
  const std::vector<std::pair<size_t, size_t>> same{{36, 60}, {39, 64}, {42, 68}, {45, 72},
                                                    {48, 76}, {54, 82}, {57, 85}};
  for (auto [to, from] : same)
    ibug.points[to] = wflw[from];
  for (size_t i = 0; i < 8; ++i)
    ibug.points[60 + i] = wflw[88 + i];
  const Values expected = values(record_of(wflw)), got = values(record_of(ibug));
  for (const Measure& measure : all_measures())
    for (std::string_view unit : units_of(measure.quantity)) {
      if (measure.needs_halves) continue;
      const std::string name = fmt::format("{} {}", measure.name, unit);
      const SideValues& value = got.by_name.at(name);
      ASSERT_EQ(value.left.has_value(), !measure.needs_98) << name;
      if (!value.left) continue;
      EXPECT_NEAR(*value.left, expected.left(name), 1e-6) << name;
      EXPECT_NEAR(*value.right, expected.right(name), 1e-6) << name;
    }
}

TEST(Quantities, PointsThatMakeNoFaceGiveNothing) {
  for (const Landmarks& points :
       {Landmarks{}, Landmarks{LandmarkScheme::wflw98, std::vector<Point>(98, {5, 5})},
        Landmarks{LandmarkScheme::wflw98, std::vector<Point>(98, {NAN, 5})}})
    for (const auto& [name, value] : values(record_of(points)).by_name) {
      EXPECT_FALSE(value.left) << name;
      EXPECT_FALSE(value.right) << name;
    }
}

TEST(Quantities, TheDocumentListsWhatTheProgramMeasures) {
  std::ifstream file(VULTUS_SOURCE_DIR "/docs/measures.md");
  ASSERT_TRUE(file) << "docs/measures.md is not there";
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find("\n" + measure_table() + "\n"), std::string::npos)
      << "the table of docs/measures.md must read:\n"
      << measure_table();
}

}  // namespace
}  // namespace vultus::measure
