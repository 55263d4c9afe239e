#include "models/report/report.hpp"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "models/image/image.hpp"
#include "models/report/performance.hpp"
#include "models/report/sections.hpp"
#include "models/video/writer.hpp"
#include "tests/models/synthetic_report.hpp"
#include "tests/support/support.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus::report {
namespace {

using nlohmann::json;
using namespace vultus::test;

int thousandths(float value) {
  return static_cast<int>(std::lround(1000 * value));
}

TEST(ReportCurves, OfAShortVideoEveryFrameIsAPointWithItsValue) {
  const Curves curves = make_curves(synthetic_samples(90), 90).value();
  EXPECT_EQ(curves.frames_per_slot, 1);
  ASSERT_EQ(curves.starts.size(), 90u);
  ASSERT_EQ(curves.faces.size(), 1u);
  for (size_t unit = 0; unit < kActionUnits.size(); ++unit)
    for (int64_t frame = 1; frame <= 90; ++frame) {
      const auto at = static_cast<size_t>(frame - 1);
      const bool of_lids = unit == 3 || unit == 4;
      const bool gap = synthetic_gap(frame) || (synthetic_yaw(frame) && !of_lids);
      EXPECT_EQ(curves.faces[0].left[unit][at],
                gap ? kGap : thousandths(synthetic_score(unit, frame, true)));
      EXPECT_EQ(curves.faces[0].right[unit][at],
                gap ? kGap : thousandths(synthetic_score(unit, frame, false)));
      EXPECT_DOUBLE_EQ(curves.starts[at], synthetic_seconds(frame));
    }
  EXPECT_DOUBLE_EQ(curves.end, synthetic_seconds(90));
}

TEST(ReportCurves, LanesSayWhenThereWasNoFaceAnotherFaceOrAFlag) {
  const Curves curves = make_curves(synthetic_samples(90), 90).value();
  ASSERT_EQ(curves.lanes.size(), 3u);
  using Runs = std::vector<std::pair<int, int>>;
  EXPECT_EQ(curves.lanes[0].name, "no face");
  EXPECT_EQ(curves.lanes[0].runs, (Runs{{30, 39}}));
  EXPECT_EQ(curves.lanes[0].frames, 10);
  EXPECT_EQ(curves.lanes[0].first_frame, 31);
  EXPECT_EQ(curves.lanes[1].name, "new face");
  EXPECT_EQ(curves.lanes[1].runs, (Runs{{40, 40}}));
  EXPECT_EQ(curves.lanes[2].name, "yaw");
  EXPECT_EQ(curves.lanes[2].runs, (Runs{{50, 54}}));
}

TEST(ReportCurves, MeansAndLargestValuesAreThoseOfTheLongestTracksFrames) {
  const Curves curves = make_curves(synthetic_samples(90), 90).value();
  double sum = 0;
  float largest = 0;
  int64_t at = 0;
  for (int64_t frame = 1; frame <= 90; ++frame) {
    if (frame <= 40) continue;  // none, or another track
    const float value = synthetic_score(3, frame, true);
    sum += value;
    if (value > largest) {
      largest = value;
      at = frame;
    }
  }
  const Extent& extent = curves.faces[0].left_extent[3];
  EXPECT_EQ(curves.faces[0].id, 1);
  EXPECT_EQ(curves.faces[0].frames, 50);
  EXPECT_EQ(extent.frames, 50);
  EXPECT_DOUBLE_EQ(extent.mean(), sum / 50);
  EXPECT_EQ(extent.largest, largest);
  EXPECT_EQ(extent.largest_frame, at);
}

TEST(ReportCurves, WhatAFlagMakesDoubtfulIsAGapAndInNoMean) {
  using measure::Flag;
  for (const auto& [each, voids] : std::map<Flag, bool>{{Flag::yaw, true},
                                                        {Flag::roll, true},
                                                        {Flag::partial, true},
                                                        {Flag::low_score, true},
                                                        {Flag::pitch, false},
                                                        {Flag::small_face, false},
                                                        {Flag::two_faces, false}}) {
    const std::string flag(measure::name_of(each));
    const SampleSource source = [&](const SampleVisitor& visit) -> Result<void> {
      for (int64_t frame = 1; frame <= 3; ++frame) {
        FrameSample sample{frame, 0.1 * static_cast<double>(frame), false, {}};
        FaceSample& face = sample.faces.emplace_back();
        face.left.fill(frame == 2 ? 0.9F : 0.1F);
        if (frame == 2) face.flags = {Flag::small_face, each};
        VULTUS_CHECK(visit(sample));
      }
      return {};
    };
    const FaceCurves face = make_curves(source, 3)->faces.at(0);
    EXPECT_EQ(face.left[0], (Series{100, voids ? kGap : 900, 100})) << flag;
    EXPECT_EQ(face.left_extent[0].frames, voids ? 2 : 3) << flag;
    EXPECT_FLOAT_EQ(face.left_extent[0].largest, voids ? 0.1F : 0.9F) << flag;
    EXPECT_EQ(face.frames, 3) << flag;
  }
}

TEST(ReportCurves, OfALongVideoEveryPlaceHoldsTheLeastAndTheLargestInTheirOrder) {
  constexpr int64_t kFrames = 216000;  // two hours
  const Curves curves = make_curves(synthetic_samples(kFrames), kFrames).value();
  EXPECT_EQ(curves.frames_per_slot, 108);
  ASSERT_EQ(curves.starts.size(), 2000u);
  for (size_t slot : {0u, 7u, 1000u, 1999u}) {
    int low = 1001, high = -1;
    int64_t low_at = 0, high_at = 0;
    for (int64_t i = 0; i < 108; ++i) {
      const int64_t frame = static_cast<int64_t>(slot) * 108 + i + 1;
      // The first place is that of the track that it begins with.
      if (synthetic_gap(frame) || (slot == 0 && frame > 40)) continue;
      const int value = thousandths(synthetic_score(2, frame, true));
      if (value < low) low = value, low_at = frame;
      if (value > high) high = value, high_at = frame;
    }
    const Series& series = curves.faces[0].left[2];
    EXPECT_EQ(series[2 * slot], low_at < high_at ? low : high) << slot;
    EXPECT_EQ(series[2 * slot + 1], low_at < high_at ? high : low) << slot;
  }
}

/// A track for each of `lengths`, one after the other, whose left AU01 is its number in tenths.
SampleSource tracks_of(std::vector<int64_t> lengths) {
  return [=](const SampleVisitor& visit) -> Result<void> {
    int64_t frame = 0;
    for (size_t id = 0; id < lengths.size(); ++id)
      for (int64_t i = 0; i < lengths[id]; ++i) {
        ++frame;
        FrameSample sample{frame, 0.1 * static_cast<double>(frame), false, {}};
        FaceSample& face = sample.faces.emplace_back();
        face.id = static_cast<int>(id);
        face.left[0] = 0.1F * static_cast<float>(id);
        VULTUS_CHECK(visit(sample));
      }
    return {};
  };
}

std::vector<std::array<int, 3>> runs_of(const Curves& curves) {
  std::vector<std::array<int, 3>> runs;
  for (const TrackRun& run : curves.runs)
    runs.push_back({run.id, run.first, run.last});
  return runs;
}

TEST(ReportCurves, RunsSayWhichTrackTheCurvesAreOf) {
  using Runs = std::vector<std::array<int, 3>>;
  const Curves curves = make_curves(tracks_of({3, 6, 1}), 10).value();
  EXPECT_EQ(runs_of(curves), (Runs{{0, 0, 2}, {1, 3, 8}, {2, 9, 9}}));
  EXPECT_EQ(curves.tracks, 3u);
  EXPECT_EQ(curves.faces.at(0).left[0], (Series{0, 0, 0, 100, 100, 100, 100, 100, 100, 200}));
  EXPECT_EQ(curves.faces[0].id, 1);
  EXPECT_FLOAT_EQ(curves.faces[0].left_extent[0].largest, 0.1F) << "not that of track 2";
  const Curves of_two = make_curves(tracks_of({3, 6, 1}), 10, 2).value();
  EXPECT_EQ(of_two.faces.at(0).id, 2);
  EXPECT_EQ(of_two.faces[0].frames, 1);
  EXPECT_EQ(of_two.faces[0].left_extent[0].frames, 1);
  EXPECT_EQ(of_two.faces[0].left, curves.faces[0].left) << "the curves are of all";
  EXPECT_EQ(make_curves(tracks_of({3, 6, 1}), 10, 7)->faces.at(0).id, 1);
  EXPECT_EQ(runs_of(make_curves(synthetic_samples(90), 90).value()),
            (Runs{{0, 0, 29}, {1, 40, 89}}));
}

TEST(ReportCurves, APlaceOfALongVideoIsOfOneTrack) {
  // Four frames a place: the second begins with the last frame of track 0.
  const Curves curves = make_curves(tracks_of({5, 3, 5993}), 6001).value();
  ASSERT_EQ(curves.frames_per_slot, 4);
  const Series& series = curves.faces.at(0).left[0];
  EXPECT_EQ(std::vector<int>(series.begin(), series.begin() + 6),
            (std::vector<int>{0, 0, 0, 0, 200, 200}));
  EXPECT_EQ(runs_of(curves), (std::vector<std::array<int, 3>>{{0, 0, 1}, {2, 2, 1500}}));
  EXPECT_EQ(curves.tracks, 3u);
}

TEST(ReportCurves, FacesAtTheSameTimeHaveCurvesOfTheirOwnAndTheMostFrequentComesFirst) {
  const SampleSource source = [](const SampleVisitor& visit) -> Result<void> {
    for (int64_t frame = 1; frame <= 10; ++frame) {
      FrameSample sample{frame, 0.1 * static_cast<double>(frame), false, {}};
      for (int id = 0; id < 6; ++id)
        if (frame <= 3 + id) {
          sample.faces.emplace_back().id = id;
          sample.faces.back().left[0] = static_cast<float>(0.1 * id);
        }
      VULTUS_CHECK(visit(sample));
    }
    return {};
  };
  const Curves curves = make_curves(source, 10).value();
  ASSERT_EQ(curves.faces.size(), Curves::kMostFaces);
  EXPECT_EQ(curves.faces_left_out, 2u);
  EXPECT_EQ(curves.faces[0].id, 5);
  EXPECT_EQ(curves.faces[0].frames, 8);
  EXPECT_EQ(curves.faces[0].left[0][7], 500);
  EXPECT_EQ(curves.faces[0].left[0][8], kGap);
  EXPECT_EQ(curves.faces[1].left[0][0], 400);
  EXPECT_TRUE(curves.runs.empty());
}

TEST(ReportCurves, RecordsThatAreNotAsManyAsTheFramesAreRefused) {
  const auto curves = make_curves(synthetic_samples(89), 90);
  ASSERT_FALSE(curves);
  EXPECT_EQ(curves.error().code, Errc::mismatch);
}

class ReportPage : public testing::Test {
 protected:
  std::string page(const Summary& summary, int64_t frames, const Thumbnails& thumbnails = {},
                   bool mirrored_input = false) {
    const measure::Sheet sheet = synthetic_sheet();
    ReportInput input{summary, synthetic_origin(), {}, {}, sheet};
    input.measure.sides.mirrored_input = mirrored_input;
    return report_page(input, make_curves(synthetic_samples(frames), frames).value(), thumbnails);
  }
};

TEST_F(ReportPage, ItsDataAreTheCurvesAndHostileNamesAreText) {
  Summary summary = synthetic_summary("/v/</script><img src=x onerror=alert(1)>.mp4", 90);
  summary.warnings.push_back("<b>\"bold\"</b>\xFF");
  const std::string text = page(summary, 90);
  EXPECT_EQ(text.find("<img"), std::string::npos);
  EXPECT_EQ(text.find("<b>\""), std::string::npos);
  EXPECT_NE(text.find("&lt;img src=x onerror=alert(1)&gt;.mp4"), std::string::npos);
  const std::string open = "id=\"data\">";
  const size_t begin = text.find(open) + open.size();
  const json data = json::parse(text.substr(begin, text.find("</script>", begin) - begin));
  EXPECT_EQ(data["units"][7][0], "AU12");
  EXPECT_EQ(data["faces"][0]["left"][7][0], thousandths(synthetic_score(7, 1, true)));
  EXPECT_TRUE(data["faces"][0]["left"][7][30].is_null());
}

TEST_F(ReportPage, NoAddressStandsInIt) {
  const std::string text = page(synthetic_summary("clip.mp4", 90), 90);
  EXPECT_EQ(text.find("://"), std::string::npos);
  EXPECT_NE(text.find("default-src 'none'; img-src data:;"), std::string::npos);
  EXPECT_NE(text.find("Leon Sorokin"), std::string::npos) << "the licence of the chart library";
}

TEST_F(ReportPage, OfTwoHoursStaysBelowTwoMegabytes) {
  EXPECT_LT(page(synthetic_summary("long.mp4", 216000), 216000).size(), 2'000'000u);
}

TEST_F(ReportPage, WhatWasLostStandsInFrontOfEverythingElse) {
  Summary summary = synthetic_summary("clip.mp4", 90);
  summary.complete = false;
  summary.lost = {"12 frames are lost"};
  const std::string text = page(summary, 90);
  EXPECT_LT(text.find("12 frames are lost"), text.find("class=\"facts\""));
}

TEST_F(ReportPage, ThatSidesOrPeopleMayBeMistakenStandsAtTheTop) {
  const Summary summary = synthetic_summary("clip.mp4", 90);
  for (const bool mirrored : {false, true}) {
    const std::string text = page(summary, 90, {}, mirrored);
    const size_t at = text.find(mirrored ? "mirrored (a selfie)" : "not mirrored (assumed)");
    EXPECT_LT(at, text.find("<nav"));
    EXPECT_EQ(text.find("a selfie") != std::string::npos, mirrored);
    EXPECT_NE(text.find("2 tracks, perhaps several people"), std::string::npos);
  }
}

TEST_F(ReportPage, TheTableOfActionUnitsSaysWhichTrackItIsOf) {
  Summary summary = synthetic_summary("clip.mp4", 90);
  const std::string text = page(summary, 90);
  EXPECT_NE(text.find("The table is of track 1 alone, which the asymmetry sheet is of, in 50 of 80 "
                      "frames with a face (62 %); the others have 38 %."),
            std::string::npos);
  // Frames 1 to 30: one track.
  summary = synthetic_summary("clip.mp4", 30);
  summary.frames_without_face = 0;
  EXPECT_EQ(page(summary, 30).find("The table is of track"), std::string::npos);
}

TEST_F(ReportPage, TimesWithHoursMayStandOnTwoLines) {
  const SampleSource late = [](const SampleVisitor& visit) -> Result<void> {
    for (int64_t frame = 1; frame <= 2; ++frame) {
      FrameSample sample{frame, frame == 1 ? 3599.0 : 3600.0, false, {}};
      FaceSample& face = sample.faces.emplace_back();
      (frame == 1 ? face.left : face.right)[0] = 0.5F;
      VULTUS_CHECK(visit(sample));
    }
    return {};
  };
  const Summary summary = synthetic_summary("clip.mp4", 2);
  const std::string text = curves_section(summary, make_curves(late, 2).value(), Thumbnails(), -1);
  EXPECT_NE(text.find("keep\">59:59.00, frame 1<"), std::string::npos) << text;
  EXPECT_NE(text.find("words\">1:00:00.00, frame 2<"), std::string::npos) << text;
}

TEST_F(ReportPage, OcclusionIsSaidToBeUnseenWhetherFlagsStandOrNot) {
  Summary summary = synthetic_summary("clip.mp4", 90);
  EXPECT_NE(page(summary, 90).find("Not detected: a hand, a mask"), std::string::npos);
  const std::string text = page(synthetic_summary("clip.mp4", 30), 30);
  EXPECT_NE(text.find("none carries a flag"), std::string::npos);
  EXPECT_NE(text.find("Not detected: a hand, a mask"), std::string::npos);
}

TEST_F(ReportPage, SheetRowsTellWhyTheyAreNotValid) {
  const std::string text = page(synthetic_summary("clip.mp4", 90), 90);
  EXPECT_NE(text.find("no: small face"), std::string::npos);
  EXPECT_NE(text.find("31.2"), std::string::npos);
}

TEST(ReportPictures, Base64IsThatOfTheStandard) {
  const auto coded = [](const std::string& text) { return base64(std::as_bytes(std::span(text))); };
  EXPECT_EQ(coded(""), "");
  EXPECT_EQ(coded("f"), "Zg==");
  EXPECT_EQ(coded("fo"), "Zm8=");
  EXPECT_EQ(coded("foo"), "Zm9v");
  EXPECT_EQ(coded("foobar"), "Zm9vYmFy");
}

TEST(ReportPictures, MomentsAndAStripAreCutAroundTheFaceOfTheirFrames) {
  VULTUS_NEED_SHARED(clip, "media/vfr.mp4");
  const RecordSource records = [](const measure::RecordVisitor& visit) -> Result<void> {
    for (int64_t frame = 1; frame <= 59; ++frame) {
      FrameRecord record{frame, 0.1 * static_cast<double>(frame), false, {}};
      if (frame > 20) {
        FaceRecord face;
        face.face.box = {200, 100, 300, 220};
        record.faces.push_back(face);
      }
      VULTUS_CHECK(visit(record));
    }
    return {};
  };
  ThumbnailPlan plan;
  plan.moments = {5, 30};
  plan.strip = 6;
  plan.frames = 59;
  const Thumbnails taken = take_thumbnails(clip, records, plan).value();
  ASSERT_EQ(taken.moments.size(), 2u);
  EXPECT_FALSE(taken.moments[0]) << "no face in that frame";
  ASSERT_TRUE(taken.moments[1]);
  EXPECT_EQ(taken.moments[1]->frame, 30);
  EXPECT_TRUE(taken.moments[1]->whole.starts_with("data:image/jpeg;base64,/9j/"));
  EXPECT_EQ(taken.moments[1]->left, "") << "without landmarks there is no midline";
  // Frames 21..59 lie in the last four sixths.
  ASSERT_EQ(taken.strip.size(), 4u);
  EXPECT_EQ(taken.strip[0].frame, 21);
}

TEST(Performance, ItIsSaidOfWhichFramesTheStagesAre) {
  Summary summary = synthetic_summary("clip.mp4", 90);
  summary.run_seconds = 1.5;
  EXPECT_EQ(stages_cover(summary), "");
  EXPECT_EQ(performance_text(summary).find("of all runs"), std::string::npos);
  summary.measured_before = 60;
  EXPECT_NE(stages_cover(summary).find("measured 30 of the 90 frames; earlier runs"),
            std::string::npos)
      << stages_cover(summary);
  EXPECT_EQ(json::parse(performance_json(summary))["frames_of_stages"], 30);
  EXPECT_NE(performance_text(summary).find("of all runs. " + stages_cover(summary)),
            std::string::npos);
  summary.measured_before = 90;
  EXPECT_NE(stages_cover(summary).find("measured none of the 90 frames"), std::string::npos);
}

TEST(Performance, ItIsSaidHowAGpuRanTheNetworks) {
  Summary summary = synthetic_summary("clip.mp4", 90);
  EXPECT_EQ(performance_text(summary).find("On the GPU"), std::string::npos);
  summary.networks_ran = "The networks ran one after another: <why>.";
  EXPECT_NE(performance_text(summary).find("On the GPU:        " + summary.networks_ran),
            std::string::npos);
  EXPECT_EQ(json::parse(performance_json(summary))["networks_ran"], summary.networks_ran);
}

TEST(Performance, WallClockAndSumOverThreadsAreToldApart) {
  const Summary summary = synthetic_summary("clip.mp4", 90);
  const Workload load = workload_of(summary);
  EXPECT_DOUBLE_EQ(load.thread_seconds, 6);
  EXPECT_DOUBLE_EQ(load.at_once, 2);
  EXPECT_DOUBLE_EQ(load.idle_seconds, 1);
  const json report = json::parse(performance_json(summary));
  EXPECT_EQ(report["stages"][0]["name"], "landmarks") << "largest total first";
  EXPECT_EQ(report["stages"][0]["device"], "Test GPU");
  EXPECT_EQ(report["stages"][1]["device"], "CPU");
  EXPECT_EQ(report["stages"][0]["min_ms"], 50);
  EXPECT_EQ(report["stages"][0]["max_ms"], 99);
  EXPECT_NEAR(report["stages"][0]["share"].get<double>(), 5.0 / 6, 1e-12);
  const std::string text = performance_text(summary);
  EXPECT_NE(text.find("Sum over threads:  6.000 s"), std::string::npos) << text;
  EXPECT_NE(text.find("landmarks          80      5.000      62.50      50.00      99.00      "
                      "2.500   83.3  Test GPU"),
            std::string::npos)
      << text;
}

}  // namespace
}  // namespace vultus::report
