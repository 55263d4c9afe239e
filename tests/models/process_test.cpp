// Whole inputs from file to outputs, on the CPU.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <sstream>

#include "models/image/image.hpp"
#include "models/video/reader.hpp"
#include "tests/models/csv_cells.hpp"
#include "tests/models/process_fixture.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::shared;

class Process : public test::ProcessFixture {
 protected:
  Result<Summary> run(const std::string& media) const {
    return process_input(shared("media/" + media), options_);
  }
  std::string out(const std::string& name) const { return (root_ / "out" / name).string(); }
  std::vector<std::vector<std::string>> rows(const std::string& folder) const {
    std::ifstream file(out(folder + "/landmarks.csv"));
    std::vector<std::vector<std::string>> rows;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
      const std::vector<std::string> cells = test::cells_of(line);
      rows.push_back(cells);
    }
    return rows;
  }
  /// Names in the output folder; empty when there is none.
  std::vector<std::string> left_in_out() const {
    std::vector<std::string> names;
    if (fs::exists(root_ / "out"))
      for (const auto& entry : fs::directory_iterator(root_ / "out"))
        names.push_back(entry.path().filename().string());
    return names;
  }
};

std::vector<double> times_of(const std::string& video) {
  std::vector<double> times;
  auto reader = VideoReader::open(video);
  EXPECT_TRUE(reader) << reader.error().what;
  if (!reader) return times;
  while (auto frame = reader->next().value())
    times.push_back(frame->seconds);
  return times;
}

constexpr size_t kCells = 5 + 2 * 98 + 4 + 6 + 3 + 8 + 3;

TEST_F(Process, AClipOfUnevenRateGivesARowAndAPictureForEveryFrame) {
  options_.precision = Precision::fp16;
  int64_t calls = 0;
  options_.progress = [&](const Progress& p) { EXPECT_EQ(p.frames, ++calls); };
  Result<Summary> summary = run("vfr.mp4");
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_TRUE(summary->complete);
  EXPECT_EQ(summary->frames, 59);
  EXPECT_EQ(calls, 59);
  EXPECT_EQ(summary->faces, 59);

  std::vector<double> source = times_of(shared("media/vfr.mp4"));
  auto table = rows("vfr");
  ASSERT_EQ(table.size(), source.size());
  ASSERT_EQ(summary->time_base.substr(0, 2), "1/");
  const double time_base = 1 / std::stod(summary->time_base.substr(2));
  for (size_t i = 0; i < table.size(); ++i) {
    ASSERT_EQ(table[i].size(), kCells);
    EXPECT_EQ(table[i][0], std::to_string(i + 1));
    // The second signer is another track.
    EXPECT_GE(table[i][1], i == 0 ? "0" : table[i - 1][1]);
    EXPECT_NEAR(std::stod(table[i][2]), source[i], 1e-6);
    EXPECT_NEAR(std::stod(table[i].back()) * time_base, source[i], 1e-9);
    EXPECT_GT(std::stod(table[i][kCells - 3]), 0.3);
    EXPECT_LT(std::stod(table[i][kCells - 3]), 0.7);
    EXPECT_EQ(table[i][4], "1");
  }
  EXPECT_EQ(table.front()[1], "0");
  EXPECT_EQ(table.back()[1], "1");
  for (const char* name : {"left_mirrored.mp4", "right_mirrored.mp4", "overlay.mp4"}) {
    SCOPED_TRACE(name);
    std::vector<double> written = times_of(out("vfr/") + name);
    ASSERT_EQ(written.size(), source.size());
    for (size_t i = 0; i < source.size(); ++i)
      EXPECT_NEAR(written[i] - written[0], source[i] - source[0], 1e-3);
  }
  std::ifstream file(out("vfr/summary.json"));
  json object = json::parse(file);
  for (const char* key :
       {"input", "frames", "faces", "frames_without_face", "fps", "seconds", "device", "uploads",
        "downloads", "upload_bytes", "download_bytes", "stages", "warnings", "status"})
    EXPECT_TRUE(object.contains(key)) << key;
  EXPECT_EQ(object["status"], "complete");
  EXPECT_EQ(object["precision"], "fp32") << "whatever was asked: the CPU has no other";
  EXPECT_EQ(left_in_out(), (std::vector<std::string>{"vfr"}));
}

TEST_F(Process, AFinishedInputIsSkippedAndAnotherSettingNeedsForce) {
  options_.overlay = options_.mirror = false;
  Result<Summary> first = run("astronaut.png");
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_FALSE(first->skipped);
  const auto written = fs::last_write_time(out("astronaut/landmarks.csv"));
  Result<Summary> second = run("astronaut.png");
  ASSERT_TRUE(second) << second.error().what;
  EXPECT_TRUE(second->skipped);
  EXPECT_TRUE(second->complete);
  EXPECT_EQ(second->frames, 1);
  EXPECT_EQ(fs::last_write_time(out("astronaut/landmarks.csv")), written);
  options_.mirror = true;
  Result<Summary> refused = run("astronaut.png");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unwritable);
  EXPECT_NE(refused.error().what.find("--force"), std::string::npos);
  options_.force = true;
  Result<Summary> forced = run("astronaut.png");
  ASSERT_TRUE(forced) << forced.error().what;
  EXPECT_TRUE(fs::exists(out("astronaut/left_mirrored.png")));
}

TEST_F(Process, APictureGivesTheReferencePointsAndPictures) {
  Result<Summary> summary = run("obama-1080p.jpg");
  ASSERT_TRUE(summary) << summary.error().what;
  auto table = rows("obama-1080p");
  ASSERT_EQ(table.size(), 1u);
  EXPECT_EQ(table[0][2], "") << "a picture has no time";
  std::ifstream file(shared("reference/detections_obama-1080p.json"));
  json frame = json::parse(file)["frames"][0];
  const double side = frame["top_face_crop"]["side"];
  double sum = 0;
  for (size_t i = 0; i < 98; ++i) {
    const json& p = frame["top_face_landmarks98"][i];
    double x =
        frame["top_face_crop"]["centre"][0].get<double>() + side * (p[0].get<double>() - 0.5);
    double y =
        frame["top_face_crop"]["centre"][1].get<double>() + side * (p[1].get<double>() - 0.5);
    sum += std::hypot(std::stod(table[0][5 + i]) - x, std::stod(table[0][103 + i]) - y);
  }
  // The same picture file through another JPEG decoder.
  EXPECT_LT(sum / 98, 0.5);
  for (const char* name : {"overlay.png", "left_mirrored.png", "right_mirrored.png"})
    EXPECT_EQ(read_image(out("obama-1080p/") + name).value().size(), cv::Size(1920, 1080)) << name;
}

TEST_F(Process, FramesWithoutAFaceHaveEmptyCellsAndTheVideosGoOn) {
  Result<Summary> summary = run("intel_bottle_noface_3s.mp4");
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_TRUE(summary->complete);
  EXPECT_EQ(summary->faces, 0);
  EXPECT_EQ(summary->frames_without_face, summary->frames);
  for (const auto& row : rows("intel_bottle_noface_3s")) {
    ASSERT_EQ(row.size(), kCells);
    EXPECT_EQ(row[1], "");
    EXPECT_EQ(row[3], "");
    EXPECT_EQ(row[4], "0");
    EXPECT_EQ(row[5], "");
    EXPECT_EQ(row[kCells - 2], "");
    EXPECT_NE(row.back(), "");
  }
  EXPECT_EQ(times_of(out("intel_bottle_noface_3s/left_mirrored.mp4")).size(),
            static_cast<size_t>(summary->frames));
}

TEST_F(Process, ACutOffFileIsPartialAndSaysWhatIsLost) {
  Result<Summary> summary = run("truncated.mp4");
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_FALSE(summary->complete);
  EXPECT_EQ(summary->declared_frames, 56);
  EXPECT_GT(summary->lost_frames, 30);
  EXPECT_FALSE(summary->lost.empty());
  EXPECT_EQ(rows("truncated").size(), static_cast<size_t>(summary->frames));
  std::ifstream file(out("truncated/summary.json"));
  EXPECT_EQ(json::parse(file)["status"], "partial");
  Result<Summary> again = run("truncated.mp4");
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_TRUE(again->skipped);
  EXPECT_FALSE(again->complete) << "a second run does not make it whole";
}

TEST_F(Process, OddAndGreyClipsAreProcessedWhole) {
  for (const char* name : {"odd_size", "gray", "gray_hevc"}) {
    Result<Summary> summary = run(std::string(name) + ".mp4");
    ASSERT_TRUE(summary) << summary.error().what;
    EXPECT_TRUE(summary->complete) << name;
    EXPECT_EQ(summary->frames, 50);
  }
}

TEST_F(Process, BadInputsAreRefusedAndLeaveNothing) {
  Result<std::unique_ptr<Processor>> processor = Processor::open(options_);
  ASSERT_TRUE(processor) << processor.error().what;
  fs::create_directory(root_ / "folder.mp4");
  std::ofstream(root_ / "text.png") << "not a picture";
  for (const std::string& path :
       {shared("media/empty.mp4"), shared("media/not_a_video.mp4"),
        shared("media/truncated_no_index.mp4"), (root_ / "missing.mp4").string(),
        (root_ / "folder.mp4").string(), (root_ / "text.png").string()}) {
    Result<Summary> summary = (*processor)->run(path, "x");
    ASSERT_FALSE(summary) << path;
    EXPECT_EQ(summary.error().code, Errc::bad_input) << summary.error().what;
    EXPECT_NE(summary.error().what.find(fs::path(path).filename().string()), std::string::npos)
        << summary.error().what;
  }
  EXPECT_TRUE(left_in_out().empty());
}

TEST_F(Process, BadSettingsAreRefusedBeforeAnyWork) {
  ProcessOptions none = options_;
  none.out.clear();
  EXPECT_EQ(Processor::open(none).error().code, Errc::usage);
  none = options_;
  none.search_every = 0;
  EXPECT_EQ(Processor::open(none).error().code, Errc::usage);
  none = options_;
  none.batch = 33;
  EXPECT_EQ(Processor::open(none).error().code, Errc::usage);
  none = options_;
  none.devices.clear();
  EXPECT_EQ(Processor::open(none).error().code, Errc::no_device);
  none = options_;
  none.pack = (root_ / "nowhere").string();
  EXPECT_EQ(Processor::open(none).error().code, Errc::bad_model);
}

TEST_F(Process, ADiskThatIsFullEndsTheRunWithoutAHang) {
  // The size limit of files stands in for a full disk; its signal would end the program.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 20000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  Result<Summary> summary = run("intel_head_pose_two_faces.mp4");
  setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(summary);
  EXPECT_EQ(summary.error().code, Errc::unwritable) << summary.error().what;
  EXPECT_TRUE(left_in_out().empty()) << "there was no checkpoint yet";
}

std::vector<std::string> paths_of(const InputFiles& found) {
  std::vector<std::string> paths;
  for (const InputFile& file : found.files)
    paths.push_back(file.path);
  return paths;
}

TEST_F(Process, AFolderGivesItsMediaInOrder) {
  fs::create_directories(root_ / "in/deeper");
  for (const char* name : {"b.MP4", "a.jpg", "notes.txt", "deeper/c.mp4"})
    std::ofstream(root_ / "in" / name) << "";
  const InputFiles found = files_of((root_ / "in").string()).value();
  EXPECT_EQ(paths_of(found), (std::vector<std::string>{(root_ / "in/a.jpg").string(),
                                                       (root_ / "in/b.MP4").string()}));
  EXPECT_EQ(found.passed_over, std::vector<std::string>{"notes.txt"});
  const InputFiles many{{}, {"1", "2", "3", "4", "5", "6", "7"}, {}};
  EXPECT_EQ(many.passed_over_text(), "1, 2, 3, 4, 5 and 2 more");
  EXPECT_EQ(paths_of(files_of("x.heic").value()), std::vector<std::string>{"x.heic"});
  fs::create_directory(root_ / "none");
  EXPECT_EQ(files_of((root_ / "none").string()).error().code, Errc::bad_input);
  std::ofstream(root_ / "none/IMG_1.heic") << "";
  const Error refused = files_of((root_ / "none").string()).error();
  EXPECT_NE(refused.what.find("IMG_1.heic"), std::string::npos) << refused.what;
}

}  // namespace
}  // namespace vultus
