#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "models/measure/sheet.hpp"
#include "tests/models/sheet_row.hpp"
#include "tests/models/synthetic_face.hpp"

namespace vultus::measure {
namespace {

using test::row;
using State = SheetRow::State;

/// Ten seconds: at rest but for a smile of the subject's left corner from 3 s to 6 s (10 mm out,
/// 8 mm up, the right 2 mm out), a raised right brow at 7 s and an open mouth at 9 s. The eyes are
/// open, a few hundredths of a millimetre of tremble on everything.
SyntheticFace acting(double at) {
  SyntheticFace face;
  const double smile = std::clamp(std::min(at - 3, 6 - at) * 3, 0.0, 1.0);
  face.corner_left = smile * Point(10, -8);
  face.corner_right = smile * Point(2, 0);
  face.brow_right = at >= 7 && at < 7.6 ? 6 : 0;
  face.lips_apart = at >= 9 ? 12 : 1;
  return face;
}

std::vector<FrameRecord> acted(const std::function<SyntheticFace(double)>& face = acting,
                               double tremble = 0.02) {
  auto video = video_of(times(0, 10, 30), face);
  std::mt19937 random(7);
  std::normal_distribution<double> noise(0, 2 * tremble);
  for (FrameRecord& record : video)
    for (Point& p : record.faces[0].face.landmarks.points)
      p += Point(noise(random), noise(random));
  return video;
}

Sheet sheet_of(const std::vector<FrameRecord>& video, const std::string& baseline = "auto",
               MeasureOptions options = synthetic_options()) {
  const auto sheet = compute_sheet(source_of(video), {options, *parse_baseline(baseline)});
  EXPECT_TRUE(sheet) << sheet.error().what;
  return *sheet;
}

TEST(Baseline, RangesAreReadAndEverythingElseIsRefused) {
  using Kind = BaselineChoice::Kind;
  EXPECT_EQ(parse_baseline("auto")->kind, Kind::automatic);
  EXPECT_EQ(parse_baseline("none")->kind, Kind::none);
  auto range = [](const char* text) {
    const auto choice = parse_baseline(text);
    EXPECT_TRUE(choice) << text;
    EXPECT_EQ(choice->kind, Kind::range);
    return std::pair(choice->from, choice->to);
  };
  EXPECT_EQ(range("0:02-0:04"), std::pair(2.0, 4.0));
  EXPECT_EQ(range("1:02:03.5-1:02:05"), std::pair(3723.5, 3725.0));
  EXPECT_EQ(range("2.5-4"), std::pair(2.5, 4.0));
  EXPECT_EQ(range("90-2:00"), std::pair(90.0, 120.0));
  EXPECT_EQ(range(" 0:02 - 0:04 "), std::pair(2.0, 4.0));
  EXPECT_EQ(range("0:02\u20130:04"), std::pair(2.0, 4.0));
  EXPECT_EQ(range("2.5 \u2014 4"), std::pair(2.5, 4.0));
  EXPECT_EQ(parse_baseline("Auto")->kind, Kind::automatic);
  EXPECT_EQ(parse_baseline(" NONE ")->kind, Kind::none);
  for (const char* text : {"",
                           "-",
                           "4-2",
                           "2-2",
                           "0:02",
                           "a-b",
                           "0:02-0:04-0:06",
                           "1:75-2:00",
                           "-1-2",
                           "1:2:3:4-5:0:0:0",
                           "0 :02-0:04",
                           "1 2-14",
                           "nan-4",
                           "0-inf",
                           "1.5:02-3:00",
                           "0:-2-0:04",
                           " ",
                           "\u2013",
                           "2\u2013",
                           "2\u201d4"}) {
    const auto choice = parse_baseline(text);
    ASSERT_FALSE(choice) << text;
    EXPECT_EQ(choice.error().code, Errc::usage);
  }
  const std::string commas = parse_baseline("00:01,0-00:02,5").error().what;
  EXPECT_NE(commas.find("take a point"), std::string::npos) << commas;
  EXPECT_NE(commas.find("1.5-3"), std::string::npos) << commas;
  for (const char* text : {"auto", "none", "2.5-4"})
    EXPECT_EQ(to_text(*parse_baseline(text)), text);
}

TEST(Sheet, RestAndPeakOfAOneSidedSmile) {
  const Sheet sheet = sheet_of(acted(), "0:00-0:02");
  const SheetRow& excursion = row(sheet, "commissure_excursion", State::peak, "mm");
  EXPECT_TRUE(excursion.valid);
  EXPECT_NEAR(*excursion.left, std::hypot(35, 20) - std::hypot(25, 12), 0.1);
  EXPECT_NEAR(*excursion.right, std::hypot(27, 12) - std::hypot(25, 12), 0.1);
  EXPECT_NEAR(*excursion.difference, *excursion.left - *excursion.right, 1e-9);
  EXPECT_NEAR(*excursion.percent, 100 * (*excursion.left - *excursion.right) / *excursion.left,
              1e-9);
  EXPECT_NEAR(*row(sheet, "commissure_lift", State::peak, "mm").left, 8, 0.1);
  EXPECT_NEAR(*row(sheet, "fai", State::rest, "mm").difference, 0, 0.1);
  EXPECT_NEAR(*row(sheet, "fai", State::peak, "mm").difference,
              std::abs(std::hypot(17.5, 54) - std::hypot(9.5, 62)), 0.1);
  EXPECT_FALSE(row(sheet, "fai", State::peak, "mm").left);
  EXPECT_NEAR(*row(sheet, "brow_height", State::peak, "mm").difference, -6, 0.1);
  EXPECT_NEAR(*row(sheet, "brow_height", State::rest, "mm").difference, 0, 0.1);
  const Peak& smile = sheet.peaks[static_cast<size_t>(Region::mouth)].value();
  EXPECT_GE(*smile.moment.seconds, 3.3);
  EXPECT_LE(*smile.moment.seconds, 5.7);
  const Peak& brows = sheet.peaks[static_cast<size_t>(Region::brows)].value();
  EXPECT_GE(*brows.moment.seconds, 7);
  EXPECT_LE(*brows.moment.seconds, 7.6);
  ASSERT_TRUE(sheet.rest);
  EXPECT_LE(*sheet.rest->seconds, 2);
  EXPECT_EQ(sheet.frames, 300);
  EXPECT_EQ(sheet.unflagged_frames, 300);
}

TEST(Sheet, SpreadsTellTheTremble) {
  const SheetRow still = row(sheet_of(acted(acting, 0.02), "0-2"), "mrd1", State::rest, "mm");
  const SheetRow shaky = row(sheet_of(acted(acting, 0.2), "0-2"), "mrd1", State::rest, "mm");
  EXPECT_EQ(still.frames, 61);
  // The difference of two coordinates: sqrt(2) sigma, and MAD = 0.6745 sigma.
  EXPECT_NEAR(*still.left_spread, 0.02 * std::sqrt(2) * 0.6745, 0.01);
  EXPECT_NEAR(*shaky.left_spread, 0.2 * std::sqrt(2) * 0.6745, 0.06);
}

TEST(Sheet, AnOutlierOfOneFrameIsNoPeak) {
  auto video = acted();
  for (size_t i : {30u, 31u, 250u})
    video[i].faces[0].face.landmarks.points[76] += Point(-80, 60);
  const Sheet sheet = sheet_of(video, "0-2");
  const Peak& smile = sheet.peaks[static_cast<size_t>(Region::mouth)].value();
  EXPECT_GE(*smile.moment.seconds, 3);
  EXPECT_LE(*smile.moment.seconds, 6);
  EXPECT_NEAR(*row(sheet, "commissure_excursion", State::peak, "mm").right,
              std::hypot(27, 12) - std::hypot(25, 12), 0.1);
}

TEST(Sheet, ARegionThatDoesNotMoveHasNoValidPeak) {
  const Sheet sheet = sheet_of(acted([](double at) {
                                 SyntheticFace face = acting(at);
                                 face.brow_right = 0;
                                 return face;
                               }),
                               "0-2");
  EXPECT_EQ(row(sheet, "mrd1", State::peak, "mm").voided_by, "no_movement");
  EXPECT_FALSE(row(sheet, "mrd1", State::peak, "mm").valid);
  EXPECT_EQ(row(sheet, "brow_height", State::peak, "mm").voided_by, "no_movement");
  EXPECT_TRUE(row(sheet, "fai", State::peak, "mm").valid);
  EXPECT_TRUE(row(sheet, "mrd1", State::rest, "mm").valid);
}

TEST(Sheet, AutomaticBaselineIsNotAHeldSmileNorAnOpenMouthNorShutEyes) {
  // Perfectly still smile for three seconds, eyes shut in the first second, mouth open in the last.
  auto video = acted([](double at) {
    SyntheticFace face = acting(at);
    if (at < 1.2) face.gap_left = face.gap_right = 1;
    return face;
  });
  for (FrameRecord& record : video)
    if (*record.seconds >= 3.4 && *record.seconds < 5.6)
      record.faces[0].face.landmarks = place(acting(4));
  const Sheet sheet = sheet_of(video);
  EXPECT_EQ(sheet.baseline.kind, BaselineChoice::Kind::automatic);
  EXPECT_GE(sheet.baseline.to - sheet.baseline.from, 0.8);
  EXPECT_LE(sheet.baseline.to - sheet.baseline.from, 1.0001);
  auto at_rest = [](double at) { return (at > 1.19 && at < 3.01) || (at > 5.99 && at < 9); };
  EXPECT_TRUE(at_rest(sheet.baseline.from) && at_rest(sheet.baseline.to))
      << sheet.baseline.from << " " << sheet.baseline.to;
  ASSERT_FALSE(sheet.notes.empty());
  EXPECT_NE(sheet.notes.back().find("at rest"), std::string::npos);
  EXPECT_TRUE(row(sheet, "commissure_excursion", State::peak, "mm").valid);
}

TEST(Sheet, WithoutABaselineNothingIsSubtracted) {
  const Sheet sheet = sheet_of(acted(), "none");
  EXPECT_EQ(row(sheet, "commissure_excursion", State::peak, "mm").voided_by, "no_baseline");
  EXPECT_TRUE(row(sheet, "oral_commissure", State::all, "mm").valid);
  EXPECT_NEAR(*row(sheet, "oral_commissure", State::all, "mm").left, std::hypot(25, 12), 0.1);
  EXPECT_NEAR(*row(sheet, "oral_commissure", State::peak, "mm").left, std::hypot(35, 20), 0.1);
  for (const SheetRow& row : sheet.rows) {
    EXPECT_NE(row.state, State::rest);
    EXPECT_FALSE(row.valid && row.state == State::peak) << row.measure->name;
  }
  EXPECT_EQ(row(sheet, "oral_commissure", State::peak, "mm").voided_by, "no_baseline");
}

TEST(Sheet, FlaggedFramesAreLeftOut) {
  auto video = acted();
  for (FrameRecord& record : video)
    if (*record.seconds < 1 || (*record.seconds > 3 && *record.seconds < 4)) {
      record.faces[0].face.score = 0.5;
      record.faces[0].face.landmarks.points[76] += Point(-60, 0);
    }
  const Sheet sheet = sheet_of(video, "0-2");
  EXPECT_EQ(row(sheet, "oral_commissure", State::rest, "mm").frames, 31);
  EXPECT_NEAR(*row(sheet, "oral_commissure", State::rest, "mm").right, std::hypot(25, 12), 0.1);
  EXPECT_GE(*sheet.peaks[static_cast<size_t>(Region::mouth)]->moment.seconds, 4);
  const Sheet voided = sheet_of(video, "0-0.9");
  EXPECT_EQ(row(voided, "oral_commissure", State::rest, "mm").voided_by, "low_score");
  EXPECT_FALSE(row(voided, "oral_commissure", State::rest, "mm").valid);
  EXPECT_EQ(row(voided, "oral_commissure", State::peak, "mm").voided_by, "no_baseline_frames");
}

TEST(Sheet, ABaselineOutsideOfTheVideoSaysSo) {
  const Sheet sheet = sheet_of(acted(), "1:00-1:02");
  for (const SheetRow& row : sheet.rows)
    EXPECT_FALSE(row.valid);
  EXPECT_EQ(row(sheet, "mrd1", State::rest, "mm").voided_by, "no_baseline_frames");
  EXPECT_NE(sheet.notes.back().find("no frame from 60 s"), std::string::npos);
  EXPECT_NE(sheet.notes.back().find("the video ends at 9.97 s"), std::string::npos);
}

TEST(Sheet, AShortNamedBaselineIsNone) {
  for (const char* range : {"0-0.5", "1-1.04"}) {
    const Sheet sheet = sheet_of(acted(), range);
    for (const SheetRow& row : sheet.rows)
      EXPECT_FALSE(row.valid) << row.measure->name;
    EXPECT_EQ(row(sheet, "mrd1", State::rest, "mm").voided_by, "short_baseline");
    EXPECT_TRUE(row(sheet, "mrd1", State::rest, "mm").left) << "told, though not valid";
    EXPECT_EQ(row(sheet, "commissure_lift", State::peak, "mm").voided_by, "short_baseline");
    EXPECT_NE(sheet.notes.back().find("too short"), std::string::npos);
  }
  const Sheet enough = sheet_of(acted(), "0-0.8");
  EXPECT_EQ(enough.baseline.frames, 25);
  EXPECT_EQ(enough.baseline.how(), "named");
  EXPECT_TRUE(row(enough, "mrd1", State::rest, "mm").valid);
  EXPECT_NE(enough.notes.back().find("25 frames"), std::string::npos);
}

TEST(Sheet, OneFrameHasNoScatter) {
  const Sheet sheet = sheet_of(acted(), "1-1.02");
  const SheetRow& one = row(sheet, "mrd1", State::rest, "mm");
  EXPECT_EQ(one.frames, 1);
  EXPECT_TRUE(one.left);
  EXPECT_FALSE(one.left_spread || one.right_spread || one.difference_spread);
}

TEST(Sheet, APixelOfMoreThanTwoMillimetresIsTooCoarseForLengths) {
  for (auto [px_per_mm, coarse] : {std::pair{0.49, true}, std::pair{0.51, false}}) {
    const Sheet sheet = sheet_of(video_of(times(0, 2, 30), acting, {px_per_mm}), "0-1");
    const SheetRow& mrd = row(sheet, "mrd1", State::rest, "mm");
    EXPECT_NEAR(*mrd.mm_per_pixel, 1 / px_per_mm, 1e-6);
    EXPECT_NEAR(*sheet.mm_per_pixel, 1 / px_per_mm, 1e-6);
    for (auto [name, unit] : {std::pair{"mrd1", "mm"}, std::pair{"mrd1", "icd"},
                              std::pair{"eye_area", "mm2"}, std::pair{"fai", "mm"}})
      EXPECT_EQ(row(sheet, name, State::rest, unit).voided_by, coarse ? "coarse_pixels" : "");
    EXPECT_TRUE(row(sheet, "eye_aspect_ratio", State::rest, "1").valid);
  }
}

TEST(Sheet, AVideoWithoutAFaceGivesRowsThatSaySo) {
  std::vector<FrameRecord> video(5);
  const Sheet sheet = sheet_of(video);
  EXPECT_EQ(sheet.face_id, -1);
  ASSERT_FALSE(sheet.rows.empty());
  for (const SheetRow& row : sheet.rows) {
    EXPECT_FALSE(row.valid);
    EXPECT_EQ(row.voided_by, "no_face");
    EXPECT_FALSE(row.left || row.right || row.difference || row.percent);
  }
}

TEST(Sheet, APictureIsMeasuredAsItIs) {
  SyntheticFace palsy;
  palsy.gap_left = 6;
  std::vector<FrameRecord> picture(1);
  picture[0].frame = 1;
  picture[0].faces.push_back(record_of(place(palsy)));
  const Sheet sheet = sheet_of(picture);
  const SheetRow& fissure = row(sheet, "palpebral_fissure", State::all, "mm");
  EXPECT_TRUE(fissure.valid);
  EXPECT_NEAR(*fissure.difference, -4, 1e-4);
  EXPECT_NEAR(*fissure.percent, 40, 1e-3);
  EXPECT_EQ(row(sheet, "palpebral_fissure", State::peak, "mm").voided_by, "no_steady_frames");
}

TEST(Sheet, ItIsOfTheFaceWithTheMostFramesAndSaysSo) {
  auto video = acted();
  for (size_t i = 0; i < 40; ++i)
    video[i].faces[0].face.id = 3;
  for (size_t i = 40; i < 300; ++i)
    video[i].faces[0].face.id = 8;
  const Sheet sheet = sheet_of(video, "2-3");
  EXPECT_EQ(sheet.face_id, 8);
  EXPECT_EQ(sheet.frames, 260);
  EXPECT_NE(sheet.notes.front().find("of 2 face_ids, this is 8"), std::string::npos);
  EXPECT_NE(sheet.notes.front().find("may be the same person"), std::string::npos);
  auto together = video;
  for (FrameRecord& record : together)
    record.faces.push_back(record_of(place({}, {1, 0, {200, 300}}), 20));
  for (size_t i = 0; i < 60; ++i)
    together[i].faces.pop_back();
  const std::string beside = sheet_of(together, "2-3").notes.front();
  EXPECT_NE(beside.find("1 of them was in the picture while it was, so another person"),
            std::string::npos)
      << beside;
  for (size_t i = 60; i < 300; ++i)
    video[i].faces[0].face.score = 0.5;
  EXPECT_EQ(sheet_of(video, "2-3").face_id, 3) << "20 frames without a flag are fewer than 40";
}

TEST(Sheet, ActionUnitsAreComparedWithRest) {
  auto video = acted();
  for (FrameRecord& record : video) {
    const bool smiles = *record.seconds >= 3.4 && *record.seconds < 5.6;
    record.faces[0].left.emplace().action_units[5] = smiles ? 0.9f : 0.2f;
    record.faces[0].right.emplace().action_units[5] = smiles ? 0.35f : 0.3f;
  }
  const Sheet sheet = sheet_of(video, "0-2");
  const SheetRow& change = row(sheet, "AU12_change", State::peak, "score");
  EXPECT_TRUE(change.valid);
  EXPECT_NEAR(*change.left, 0.7, 1e-6);
  EXPECT_NEAR(*change.right, 0.05, 1e-6);
  EXPECT_NEAR(*change.difference, 0.65, 1e-6);
  EXPECT_NEAR(*row(sheet, "AU12", State::rest, "score").difference, -0.1, 1e-6);
  EXPECT_FALSE(change.percent);
  const Sheet without = sheet_of(acted(), "0-2");
  EXPECT_EQ(row(without, "AU12", State::rest, "score").voided_by, "needs_expression_network");
}

TEST(Sheet, EveryRowOfTheTableHasEveryCell) {
  const std::string csv = to_csv(sheet_of(acted(), "0-2"));
  std::istringstream lines(csv);
  std::string line;
  size_t count = 0;
  while (std::getline(lines, line)) {
    const size_t formula = line.find('"');
    EXPECT_EQ(std::count(line.begin(),
                         formula == std::string::npos ? line.end()
                                                      : line.begin() + static_cast<long>(formula),
                         ','),
              20)
        << line;
    EXPECT_EQ(line.find("nan"), std::string::npos);
    ++count;
  }
  EXPECT_EQ(count, sheet_of(acted(), "0-2").rows.size() + 1);
}

TEST(Sheet, ASourceThatFailsEndsIt) {
  const RecordSource broken = [](const RecordVisitor&) -> Result<void> {
    return Error{Errc::mismatch, "the journal is damaged"};
  };
  const auto sheet = compute_sheet(broken, {synthetic_options(), {}});
  ASSERT_FALSE(sheet);
  EXPECT_EQ(sheet.error().what, "the journal is damaged");
}

}  // namespace
}  // namespace vultus::measure
