// Tables and report made again from what was measured, after an option changed.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "models/process/outlook.hpp"
#include "models/process/verify.hpp"
#include "tests/models/process_fixture.hpp"
#include "tests/models/results.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;
using test::contents;
using test::expect_same;

class Remaking : public test::ProcessFixture {
 protected:
  void SetUp() override {
    ProcessFixture::SetUp();
    options_.progress = [this](const Progress&) { ++measured_; };
  }
  Result<Summary> run(const ProcessOptions& options) const {
    return process_input(test::shared("media/" + media_), options);
  }
  Outlook ahead(const ProcessOptions& options) const {
    return look_ahead(options, load_pack(options.pack).value(), test::shared("media/" + media_),
                      fs::path(media_).stem())
        .value();
  }
  /// A run with these options in a folder of its own.
  test::Files fresh(ProcessOptions options) const {
    options.out = (root_ / "fresh").string();
    options.force = true;
    auto summary = run(options);
    EXPECT_TRUE(summary) << summary.error().what;
    return contents(root_ / "fresh" / fs::path(media_).stem());
  }
  fs::path out() const { return root_ / "out" / fs::path(media_).stem(); }
  ProcessOptions other_tables() const {
    ProcessOptions other = options_;
    other.baseline = {measure::BaselineChoice::Kind::range, 0.2, 0.9};
    other.pupil_distance_mm = 58;
    other.openface = true;
    return other;
  }

  std::string media_ = "vfr.mp4";
  int measured_ = 0;  ///< frames
};

TEST_F(Remaking, OtherTablesAreThoseOfAFreshRunAndNothingIsMeasured) {
  ASSERT_TRUE(run(options_));
  const auto drawn = fs::last_write_time(out() / "overlay.mp4");
  measured_ = 0;
  const ProcessOptions other = other_tables();
  EXPECT_EQ(ahead(other).action, Outlook::Action::remake);
  auto remade = run(other);
  ASSERT_TRUE(remade) << remade.error().what;
  EXPECT_EQ(measured_, 0);
  EXPECT_EQ(remade->remade,
            "format vultus, now openface; baseline auto, now 0.2-0.9; pupil-distance 63, now 58");
  EXPECT_EQ(remade->begun_again, "");
  EXPECT_EQ(remade->resumptions, 0);
  EXPECT_EQ(remade->measured_before, 59);
  EXPECT_NE(test::text_of(out() / "report.html").find("measured none of the 59 frames"),
            std::string::npos);
  EXPECT_EQ(fs::last_write_time(out() / "overlay.mp4"), drawn);
  EXPECT_TRUE(verify_results(out()).value().differences.empty());
  const test::Files expected = fresh(other);
  EXPECT_GT(expected.at("openface.csv").size(), 1000u);
  expect_same(contents(out()), expected);
  EXPECT_TRUE(run(other)->skipped);

  ProcessOptions plain = options_;
  plain.report = false;
  measured_ = 0;
  ASSERT_EQ(run(plain)->remade,
            "format openface, now vultus; report on, now off; baseline 0.2-0.9, now auto; "
            "pupil-distance 58, now 63");
  EXPECT_EQ(measured_, 0);
  expect_same(contents(out()), fresh(plain));
  EXPECT_FALSE(fs::exists(out() / "report.html"));
  EXPECT_FALSE(fs::exists(root_ / "out" / ".vfr.vultus-partial"));
}

TEST_F(Remaking, WhatNobodyNamedStaysAsItWasNamedOnce) {
  media_ = "astronaut.png";
  const ProcessOptions named = other_tables();
  ASSERT_TRUE(run(named));
  ProcessOptions plain = options_;
  plain.unnamed = {"baseline", "pupil-distance", "format"};
  const std::vector<Setting> kept{
      {"baseline", "0.2-0.9"}, {"pupil-distance", "58"}, {"format", "openface"}};
  EXPECT_EQ(ahead(plain).action, Outlook::Action::skip);
  EXPECT_EQ(ahead(plain).kept, kept);
  EXPECT_EQ(run(plain)->kept, kept);
  plain.report = false;
  EXPECT_EQ(run(plain)->remade, "report on, now off");
  ProcessOptions expected = named;
  expected.report = false;
  expect_same(contents(out()), fresh(expected));
  plain.unnamed = {"pupil-distance", "format"};
  EXPECT_EQ(run(plain)->remade, "baseline 0.2-0.9, now auto");
}

TEST_F(Remaking, APictureIsMadeAgainWithoutForce) {
  media_ = "astronaut.png";
  ASSERT_TRUE(run(options_));
  ProcessOptions other = options_;
  other.pupil_distance_mm = 58;
  EXPECT_EQ(run(other)->remade, "pupil-distance 63, now 58");
  expect_same(contents(out()), fresh(other));
}

TEST_F(Remaking, AJournalThatIsDamagedIsMeasuredAgain) {
  ASSERT_TRUE(run(options_));
  std::fstream file(out() / "frames.journal", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(5000);
  file.put('!').put('?').put('!');
  file.close();
  EXPECT_FALSE(verify_results(out(), Depth::contents).value().differences.empty());
  const ProcessOptions other = other_tables();
  auto remade = run(other);
  ASSERT_TRUE(remade) << remade.error().what;
  EXPECT_NE(remade->begun_again.find("frames.journal"), std::string::npos) << remade->begun_again;
  EXPECT_GT(measured_, 59);
  EXPECT_EQ(remade->measured_before, 0);
  expect_same(contents(out()), fresh(other));
}

TEST_F(Remaking, WhatMeasuringDependsOnAndWhatWasChangedByHandIsRefusedByName) {
  options_.mirror = false;
  ASSERT_TRUE(run(options_));
  ProcessOptions other = options_;
  other.smooth = false;
  other.pupil_distance_mm = 58;
  auto refused = run(other);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unwritable);
  EXPECT_NE(refused.error().what.find("(smooth on, now off; pupil-distance 63, now 58)"),
            std::string::npos)
      << refused.error().what;
  std::ofstream(out() / "asymmetry.csv", std::ios::app) << "x";
  for (const ProcessOptions& options : {options_, other_tables()}) {
    refused = run(options);
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("asymmetry.csv: has"), std::string::npos)
        << refused.error().what;
    EXPECT_NE(refused.error().what.find("--force"), std::string::npos);
  }
}

}  // namespace
}  // namespace vultus
