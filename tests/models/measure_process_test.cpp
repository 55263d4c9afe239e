// Pose, eyes, quality and the asymmetry sheet as `process` writes them, on the CPU.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <opencv2/core.hpp>
#include <sstream>

#include "models/image/image.hpp"
#include "tests/models/csv_cells.hpp"
#include "tests/models/process_fixture.hpp"
#include "tests/models/results.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

using Rows = std::vector<std::map<std::string, std::string>>;

class MeasuredProcess : public test::ProcessFixture {
 protected:
  void SetUp() override {
    ProcessFixture::SetUp();
    options_.overlay = false;
    options_.mirror = false;
  }

  Summary run(const std::string& input, const std::string& out) {
    options_.out = (root_ / out).string();
    auto summary = process_input(input, options_);
    EXPECT_TRUE(summary) << summary.error().what;
    return *summary;
  }
  Rows rows(const std::string& path) const {
    std::ifstream file(root_ / path);
    std::vector<std::string> header;
    Rows rows;
    for (std::string line; std::getline(file, line);) {
      const std::vector<std::string> cells = test::cells_of(line);
      if (header.empty()) {
        header = cells;
        continue;
      }
      EXPECT_GE(cells.size(), header.size()) << path;  // the formula has commas of its own
      std::map<std::string, std::string> row;
      for (size_t i = 0; i < std::min(cells.size(), header.size()); ++i)
        row[header[i]] = cells[i];
      rows.push_back(std::move(row));
    }
    return rows;
  }
  std::map<std::string, std::string> sheet_row(const std::string& path, const std::string& name,
                                               const std::string& state) const {
    for (const auto& row : rows(path + "/asymmetry.csv"))
      if (row.at("measure") == name && row.at("state") == state) return row;
    ADD_FAILURE() << path << " has no " << name << " " << state;
    return {};
  }
};

TEST_F(MeasuredProcess, AVideoHasPoseEyesQualityAndASheet) {
  const Summary summary = run(test::shared("media/intel_asl_10s.mp4"), "out");
  EXPECT_EQ(std::ranges::count(summary.outputs, "asymmetry.csv"), 1);
  ASSERT_FALSE(summary.asymmetry.empty());
  EXPECT_EQ(std::ranges::count_if(summary.asymmetry,
                                  [](const std::string& note) {
                                    return note.starts_with("the face at rest was taken from");
                                  }),
            1);
  EXPECT_EQ(summary.baseline.how, "auto");
  EXPECT_GE(summary.baseline.frames, 24);
  EXPECT_NEAR(*summary.baseline.to - *summary.baseline.from, 0.9, 0.11);
  const Rows points = rows("out/intel_asl_10s/landmarks.csv");
  const Rows left = rows("out/intel_asl_10s/left.csv");
  ASSERT_EQ(points.size(), 299u);
  int blinks = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    EXPECT_NEAR(std::stod(points[i].at("pose_Tz")), 1100, 300);
    EXPECT_LT(std::abs(std::stod(points[i].at("pose_Ry"))), 0.7);
    // A cell is empty where a flag stands, and a number elsewhere.
    EXPECT_EQ(left[i].at("AU45").empty(), !points[i].at("quality").empty()) << i;
    if (!left[i].at("AU45").empty()) blinks += std::stod(left[i].at("AU45")) > 0.9;
  }
  EXPECT_GT(blinks, 0);
  EXPECT_LT(blinks, 40);
  const auto fissure = sheet_row("out/intel_asl_10s", "palpebral_fissure", "rest");
  EXPECT_EQ(fissure.at("voided_by"), "coarse_pixels") << "30 pixels between the eyes";
  EXPECT_NEAR(std::stod(fissure.at("left")), 9, 4);
  const Summary finer = run(test::shared("media/gray_hevc.mp4"), "out");
  const auto valid = sheet_row("out/gray_hevc", "palpebral_fissure", "rest");
  EXPECT_EQ(valid.at("valid"), "1");
  EXPECT_NEAR(std::stod(valid.at("left")), 10.7, 1);
  EXPECT_NEAR(std::stod(valid.at("mm_per_pixel")), *finer.mm_per_pixel, 1e-3);
  std::ifstream json(root_ / "out/gray_hevc/summary.json");
  const std::string text(std::istreambuf_iterator<char>(json), {});
  EXPECT_NE(text.find("\"how\": \"auto"), std::string::npos);
  EXPECT_NE(text.find("\"mm_per_pixel\": 1.1"), std::string::npos);
}

TEST_F(MeasuredProcess, AMirroredInputGivesTheSameSidesAsTheCamerasOwn) {
  options_.mirror = true;
  const cv::Mat picture = read_image(test::shared("media/biden.jpg")).value();
  cv::Mat flipped;
  cv::flip(picture, flipped, 1);
  const std::string camera = (root_ / "face.png").string(),
                    selfie = (root_ / "selfie.png").string();
  ASSERT_TRUE(write_png(camera, picture));
  ASSERT_TRUE(write_png(selfie, flipped));
  run(camera, "camera");
  options_.sides.mirrored_input = true;
  run(selfie, "selfie");
  const auto own = sheet_row("camera/face", "oral_commissure", "all");
  const auto mirrored = sheet_row("selfie/selfie", "oral_commissure", "all");
  // The network is not symmetric itself: the same within a few per cent.
  const double difference = std::stod(own.at("left")) - std::stod(own.at("right"));
  EXPECT_GT(std::abs(difference), 1) << "a face to tell sides apart by";
  EXPECT_NEAR(std::stod(mirrored.at("left")) - std::stod(mirrored.at("right")), difference,
              0.6 * std::abs(difference));
  // left_mirrored of the selfie is that of the camera, flipped.
  auto distance = [&](const char* of_selfie) {
    cv::Mat flipped_back;
    cv::flip(read_image((root_ / "selfie/selfie" / of_selfie).string()).value(), flipped_back, 1);
    return cv::norm(flipped_back,
                    read_image((root_ / "camera/face/left_mirrored.png").string()).value());
  };
  EXPECT_LT(distance("left_mirrored.png"), 0.6 * distance("right_mirrored.png"));
}

TEST_F(MeasuredProcess, OtherBaselinesScalesAndSidesAreOtherResults) {
  const std::string picture = test::shared("media/astronaut.png");
  run(picture, "out");
  EXPECT_TRUE(run(picture, "out").skipped);
  ProcessOptions other = options_;
  other.sides.mirrored_input = true;
  const auto taken = process_input(picture, other);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::unwritable);
  for (auto change : std::vector<std::function<void(ProcessOptions&)>>{
           [](ProcessOptions& o) { o.baseline.kind = measure::BaselineChoice::Kind::none; },
           [](ProcessOptions& o) { o.pupil_distance_mm = 60; }}) {
    change(options_);
    const Summary made = run(picture, "out");
    EXPECT_FALSE(made.skipped);
    EXPECT_FALSE(made.remade.empty()) << "tables and report alone are made again";
  }
  for (double distance : {39.9, 85.1, std::nan("")}) {
    options_.pupil_distance_mm = distance;
    const auto refused = process_input(picture, options_);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::usage);
  }
}

TEST_F(MeasuredProcess, TheManifestNamesTheCameraAndWhetherThePupilDistanceWasGiven) {
  const std::string picture = test::shared("media/astronaut.png");
  const cv::Size size = read_image(picture)->size();
  const auto manifest = [&] {
    options_.force = true;
    run(picture, "out");
    return nlohmann::json::parse(test::text_of(root_ / "out/astronaut/run.json"));
  };
  const nlohmann::json usual = manifest();
  EXPECT_EQ(usual["camera"]["model"], "pinhole");
  EXPECT_DOUBLE_EQ(usual["camera"]["focal_px"], 0.8 * std::max(size.width, size.height));
  EXPECT_DOUBLE_EQ(usual["camera"]["centre"][0], (size.width - 1) / 2.0);
  EXPECT_DOUBLE_EQ(usual["camera"]["centre"][1], (size.height - 1) / 2.0);
  EXPECT_EQ(usual["camera"]["origin"], "assumed");
  EXPECT_EQ(usual["pupil_distance_mm"]["value"], 63);
  EXPECT_EQ(usual["pupil_distance_mm"]["origin"], "assumed");
  options_.again = [](const std::string& input) {
    return std::vector<std::string>{"process", input, "--pupil-distance", "63"};
  };
  EXPECT_EQ(manifest()["pupil_distance_mm"]["origin"], "given");
  options_.again = {};
  options_.pupil_distance_mm = 60;
  const nlohmann::json other = manifest();
  EXPECT_EQ(other["pupil_distance_mm"]["value"], 60);
  EXPECT_EQ(other["pupil_distance_mm"]["origin"], "given");
}

TEST_F(MeasuredProcess, AVideoWithoutAFaceHasASheetThatSaysSo) {
  run(test::shared("media/intel_bottle_noface_3s.mp4"), "out");
  const Rows sheet = rows("out/intel_bottle_noface_3s/asymmetry.csv");
  ASSERT_FALSE(sheet.empty());
  for (const auto& row : sheet) {
    EXPECT_EQ(row.at("valid"), "0");
    EXPECT_EQ(row.at("voided_by"), "no_face");
    EXPECT_EQ(row.at("difference"), "");
  }
}

}  // namespace
}  // namespace vultus
