// The sheet of real clips with RetinaFace and PFLD: what it may call valid of them.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "models/measure/sheet.hpp"
#include "tests/models/clip_records.hpp"
#include "tests/models/sheet_row.hpp"
#include "tests/models/synthetic_face.hpp"

namespace vultus::measure {
namespace {

using test::row;
using State = SheetRow::State;

Sheet sheet_of(const std::vector<FrameRecord>& video, cv::Size picture) {
  const auto sheet = compute_sheet(source_of(video), {{picture, {}, kUsualPupilDistance}, {}});
  EXPECT_TRUE(sheet) << sheet.error().what;
  return *sheet;
}

TEST(SheetOfClips, ARealSignerHasPlausibleMillimetres) {
  const auto& records = test::clip_records("intel_asl_10s.mp4");
  VULTUS_NEED_CLIP(records);
  const Sheet sheet = sheet_of(records, {640, 480});
  EXPECT_EQ(sheet.baseline.kind, BaselineChoice::Kind::automatic);
  EXPECT_EQ(sheet.baseline.how(), "auto");
  EXPECT_GE(sheet.baseline.frames, 24);
  const SheetRow& fissure = row(sheet, "palpebral_fissure", State::rest, "mm");
  EXPECT_EQ(fissure.voided_by, "coarse_pixels");
  EXPECT_NEAR(*fissure.mm_per_pixel, 63 / 30.0, 0.1) << "30 pixels between the eyes";
  for (const auto& side : {fissure.left, fissure.right}) {
    EXPECT_GT(*side, 5);
    EXPECT_LT(*side, 15);
  }
  const SheetRow& mouth = row(sheet, "canthus_to_commissure", State::rest, "mm");
  EXPECT_GT(*mouth.left, 45);
  EXPECT_LT(*mouth.left, 85);
  // The head nods by 13 degrees and turns by 8: neither is asymmetry or movement.
  for (const SheetRow& row : sheet.rows)
    EXPECT_FALSE(row.valid && row.unit != "1" && row.unit != "score") << row.measure->name;
}

TEST(SheetOfClips, MillimetresAndIcdAgreeInSign) {
  const auto& records = test::clip_records("intel_asl_10s.mp4");
  VULTUS_NEED_CLIP(records);
  const Sheet sheet = sheet_of(records, {640, 480});
  for (const char* change : {"commissure_excursion", "commissure_lift"}) {
    const SheetRow& mm = row(sheet, change, State::peak, "mm");
    const SheetRow& icd = row(sheet, change, State::peak, "icd");
    ASSERT_TRUE(mm.left && mm.right && icd.left && icd.right) << mm.voided_by;
    EXPECT_GT(*mm.left * *icd.left, 0) << change;
    EXPECT_GT(*mm.right * *icd.right, 0) << change;
  }
}

/// Photographs that a camera pans over, zooms into and turns: nobody moves.
TEST(SheetOfClips, APhotographDoesNotMove) {
  for (auto [clip, size] : {std::pair{"odd_size.mp4", cv::Size(321, 241)},
                            std::pair{"gray_hevc.mp4", cv::Size(480, 360)},
                            std::pair{"camera_motion_astronaut_1080p.mp4", cv::Size(1920, 1080)}}) {
    const auto& records = test::clip_records(clip);
    VULTUS_NEED_CLIP(records);
    const Sheet sheet = sheet_of(records, size);
    const SheetRow& fissure = row(sheet, "palpebral_fissure", State::rest, "mm");
    EXPECT_TRUE(fissure.valid) << clip << " " << fissure.voided_by;
    EXPECT_NEAR(*fissure.left, 10.7, 1) << clip;
    for (const SheetRow& row : sheet.rows) {
      if (row.state != State::peak) continue;
      EXPECT_FALSE(row.valid) << clip << " " << row.measure->name;
      EXPECT_TRUE(!row.difference || row.voided_by.starts_with("no_movement"))
          << clip << " " << row.voided_by;
    }
    for (const char* change : {"commissure_excursion", "commissure_lift"})
      EXPECT_FALSE(row(sheet, change, State::peak, "mm").percent) << clip << " " << change;
  }
}

TEST(SheetOfClips, ATurnedHeadHasNoValidAsymmetryOfTheMouth) {
  const auto& records = test::clip_records("intel_asl_rotated_metadata.mp4");
  VULTUS_NEED_CLIP(records);
  const Sheet sheet = sheet_of(records, {640, 480});
  const SheetRow& mouth = row(sheet, "oral_commissure", State::rest, "mm");
  ASSERT_TRUE(mouth.yaw_deg);
  EXPECT_GT(std::abs(*mouth.yaw_deg), 5);
  EXPECT_NE(mouth.voided_by.find("yaw"), std::string::npos);
}

}  // namespace
}  // namespace vultus::measure
