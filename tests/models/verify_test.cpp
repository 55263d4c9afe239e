// Results are re-opened: rows, pictures and sums.
#include "models/process/verify.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "models/pack/sha256.hpp"
#include "models/video/count.hpp"
#include "models/video/writer.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Verify : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (root_ / name).string(); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(root_ / name, std::ios::binary) << text;
  }
  void write_video(int pictures) const {
    VideoWriter writer =
        VideoWriter::create(path("overlay.mp4"), {.size = {64, 48},
                                                  .time_base = {1, 25},
                                                  .frame_rate = {25, 1},
                                                  .file = {.audio_from = {}, .index_first = true}})
            .value();
    for (int i = 0; i < pictures; ++i)
      writer.write(cv::Mat::zeros(48, 64, CV_8UC3), i, 1).value();
    writer.finish().value();
  }
  /// run.json of what lies there.
  void write_manifest(int frames) const {
    json outputs = json::array();
    for (const char* name : {"landmarks.csv", "asymmetry.csv", "overlay.mp4", "summary.json"})
      outputs.push_back({{"file", name},
                         {"bytes", fs::file_size(root_ / name)},
                         {"sha256", sha256_of_file(path(name)).value()}});
    const json manifest{{"schema", 1},
                        {"input", {{"file", "clip.mp4"}}},
                        {"frames", frames},
                        {"complete", true},
                        {"outputs", outputs}};
    write("run.json", manifest.dump());
  }
  void write_results() const {
    write("landmarks.csv", "frame,face_id,x\n1,0,5\n2,,\n3,0,7\n");
    write("asymmetry.csv", "measure,value\nsmile,0.5\n");
    write("summary.json", "{}");
    write_video(3);
    write_manifest(3);
  }
  std::vector<std::string> differences() const {
    return verify_results(root_.string()).value().differences;
  }
  const test::TemporaryFolder temporary_;
  const fs::path root_ = temporary_.path();
};

TEST_F(Verify, WholeResultsHaveNoDifferences) {
  write_results();
  const Verification found = verify_results(root_.string()).value();
  EXPECT_EQ(found.differences, std::vector<std::string>{});
  EXPECT_EQ(found.frames, 3);
  EXPECT_EQ(found.checked.size(), 4u);
  EXPECT_EQ(result_folders(root_.string()).value(), std::vector<std::string>{root_.string()});
}

TEST_F(Verify, AChangedMissingOrShortFileIsNamed) {
  write_results();
  write("asymmetry.csv", "measure,value\nsmile,0.6\n");
  ASSERT_EQ(differences().size(), 1u);
  EXPECT_NE(differences()[0].find("asymmetry.csv: has SHA-256"), std::string::npos);
  fs::remove(root_ / "asymmetry.csv");
  EXPECT_NE(differences()[0].find("is missing"), std::string::npos);
  write("asymmetry.csv", "measure");
  EXPECT_NE(differences()[0].find("has 7 bytes"), std::string::npos);
}

TEST_F(Verify, RowsAndPicturesAreCountedEvenWhereTheSumsAreRight) {
  write_results();
  write("landmarks.csv", "frame,face_id,x\n1,0,5\n3,0,7\n");
  write_manifest(3);
  ASSERT_EQ(differences().size(), 1u);
  EXPECT_NE(differences()[0].find("frame 3 follows frame 1"), std::string::npos);
  write_results();
  write_video(2);
  write_manifest(3);
  ASSERT_EQ(differences().size(), 1u);
  EXPECT_NE(differences()[0].find("2 pictures for 3 frames"), std::string::npos);
}

TEST_F(Verify, AManifestThatIsNotOursOrLeadsOutIsRefused) {
  EXPECT_EQ(verify_results(root_.string()).error().code, Errc::bad_input);
  EXPECT_EQ(result_folders(root_.string()).error().code, Errc::bad_input);
  for (const char* text :
       {"", "[]", "{\"schema\": 2}", "{\"schema\": 1}",
        R"({"schema":1,"input":{"file":"a"},"frames":"3","complete":true,"outputs":[]})",
        R"({"schema":1,"input":{"file":"a"},"frames":3,"complete":true,"outputs":[
                              {"file":"../../etc/passwd","sha256":"","bytes":1}]})"}) {
    write("run.json", text);
    Result<Verification> found = verify_results(root_.string());
    ASSERT_FALSE(found) << text;
    EXPECT_EQ(found.error().code, Errc::bad_input);
  }
}

TEST_F(Verify, AVideoIsCountedByItsPackets) {
  write_video(4);
  EXPECT_EQ(count_pictures(path("overlay.mp4")).value(), 4);
  // The index, which stands first, tells of pictures that are not there any more.
  fs::resize_file(root_ / "overlay.mp4", fs::file_size(root_ / "overlay.mp4") - 40);
  EXPECT_FALSE(count_pictures(path("overlay.mp4")));
  write("text.mp4", "no video");
  EXPECT_FALSE(count_pictures(path("text.mp4")));
}

}  // namespace
}  // namespace vultus
