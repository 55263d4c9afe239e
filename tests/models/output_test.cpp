#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "models/process/bounded_queue.hpp"
#include "models/process/output_folder.hpp"
#include "models/process/process.hpp"
#include "models/process/renderer.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;

class Output : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (root_ / name).string(); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(root_ / name, std::ios::binary) << text;
  }
  std::string read(const std::string& name) const {
    std::ifstream file(root_ / name, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  const test::TemporaryFolder temporary_;
  const fs::path root_ = temporary_.path();
};

TEST_F(Output, NothingHasItsFinalNameBeforeCommitAndNothingStaysWithoutIt) {
  {
    OutputFolder folder = OutputFolder::create(path("out"), "clip", false).value();
    write("out/.clip.vultus-partial/landmarks.csv", "x");
    EXPECT_FALSE(fs::exists(path("out/clip")));
    Result<OutputFolder> second = OutputFolder::create(path("out"), "clip", false);
    ASSERT_FALSE(second);
    EXPECT_NE(second.error().what.find("another program"), std::string::npos);
  }
  EXPECT_FALSE(fs::exists(path("out/.clip.vultus-partial")));
  {
    OutputFolder folder = OutputFolder::create(path("out"), "clip", false).value();
    write("out/.clip.vultus-partial/landmarks.csv", "x");
    ASSERT_TRUE(folder.commit());
  }
  EXPECT_EQ(read("out/clip/landmarks.csv"), "x");
  EXPECT_FALSE(fs::exists(path("out/clip/.lock")));
  EXPECT_FALSE(fs::exists(path("out/.clip.vultus-partial")));
}

TEST_F(Output, ExistingOutputIsRefusedAndForceReplacesOursAlone) {
  fs::create_directories(path("out/clip"));
  write("out/clip/notes.txt", "mine");
  write("out/clip/overlay.mp4", "old");
  Result<OutputFolder> refused = OutputFolder::create(path("out"), "clip", false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unwritable);
  EXPECT_NE(refused.error().what.find("exists; use --force"), std::string::npos);
  OutputFolder folder = OutputFolder::create(path("out"), "clip", true).value();
  write("out/.clip.vultus-partial/summary.json", "new");
  ASSERT_TRUE(folder.commit());
  EXPECT_EQ(read("out/clip/summary.json"), "new");
  EXPECT_EQ(read("out/clip/notes.txt"), "mine");
  EXPECT_FALSE(fs::exists(path("out/clip/overlay.mp4")));
}

TEST_F(Output, AFolderThatCannotBeMadeIsUnwritable) {
  write("file", "");
  EXPECT_EQ(OutputFolder::create(path("file"), "clip", false).error().code, Errc::unwritable);
}

TEST_F(Output, WhatAKilledRunLeftIsClearedAway) {
  fs::create_directories(path("out/.clip.vultus-partial"));
  write("out/.clip.vultus-partial/overlay.mp4.partial", "half");
  write("out/.clip.vultus-partial/landmarks.csv", "half");
  OutputFolder folder = OutputFolder::create(path("out"), "clip", false).value();
  EXPECT_FALSE(fs::exists(path("out/.clip.vultus-partial/overlay.mp4.partial")));
  EXPECT_FALSE(fs::exists(path("out/.clip.vultus-partial/landmarks.csv")));
}

TEST_F(Output, ASummaryComesBackFromItsFile) {
  Summary summary;
  summary.input = "a\xff.mp4";
  summary.frames = 7;
  summary.lost = {"one"};
  summary.source = "s";
  summary.settings = "t";
  ASSERT_TRUE(write_summary(path("summary.json"), summary));
  std::optional<Summary> again = read_summary(path("summary.json"));
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->complete);
  EXPECT_EQ(again->frames, 7);
  EXPECT_EQ(again->lost, summary.lost);
  EXPECT_EQ(again->source, "s");
  EXPECT_FALSE(read_summary(path("none.json")));
  write("bad.json", "{\"complete\": tr");
  EXPECT_FALSE(read_summary(path("bad.json")));
  fs::create_directory(path("folder.json"));
  EXPECT_FALSE(read_summary(path("folder.json")));
}

using Names = std::vector<std::string>;

Names names(const std::vector<std::string>& files) {
  std::vector<InputFile> inputs;
  for (const std::string& file : files)
    inputs.push_back({file, false});
  return output_names(inputs);
}

TEST(OutputNames, SharedStemsKeepTheirEndingsAndNeverCollide) {
  EXPECT_EQ(names({"a/x.mp4", "b/y.mov"}), (Names{"x", "y"}));
  EXPECT_EQ(names({"x.mp4", "x.mov"}), (Names{"x.mp4", "x.mov"}));
  EXPECT_EQ(names({"a/x.mp4", "b/x.mp4"}), (Names{"a/x", "b/x"}));
  EXPECT_EQ(names({"b/x.mp4", "a/x.mp4", "c/y.mp4"}), (Names{"b/x", "a/x", "y"}));
  EXPECT_EQ(names({"1/a/x.mp4", "2/a/x.mp4"}), (Names{"1/a/x", "2/a/x"}));
  EXPECT_EQ(names({"a/x.mp4", "./a//x.mp4"}), (Names{"x", "x"})) << "the same file";
  EXPECT_EQ(names({"/x.mp4", "/a/x.mp4"}), (Names{"x", "a/x"}));
}

TEST(OutputNames, AFolderThatWasNamedComesFirstWhateverElseIsThere) {
  EXPECT_EQ(output_names({{"v1/x.mp4", true}}), (Names{"v1/x"}));
  EXPECT_EQ(output_names({{"v2/x.mp4", true}, {"v1/x.mp4", true}}), (Names{"v2/x", "v1/x"}));
  EXPECT_EQ(output_names({{"p/v1/x.mp4", true}, {"q/v1/x.mp4", true}}),
            (Names{"p/v1/x", "q/v1/x"}));
  EXPECT_EQ(output_names({{"p/x.mp4", true}, {"x.mp4", false}}), (Names{"p/x", "x"}));
}

TEST(OutputNames, NoResultsLieInOthers) {
  const Names found = output_names({{"in/v1.mp4", false}, {"v1/x.mp4", true}});
  EXPECT_EQ(found, (Names{"in/v1", "v1/x"}));
}

TEST(OutputNames, ANeighbourOfTheSameStemIsSeenOnTheDisk) {
  const test::TemporaryFolder folder;
  for (const char* file : {"/x.mp4", "/x.mov", "/y.mp4", "/y.txt"})
    std::ofstream(folder.path() + file) << "-";
  EXPECT_EQ(names({folder.path() + "/x.mp4"}), Names{"x.mp4"});
  EXPECT_EQ(names({folder.path() + "/y.mp4"}), Names{"y"});
}

TEST_F(Output, APictureThatCannotBeDrawnEndsTheRendererWithAnError) {
  face::StageTimes times;
  VideoInfo source;
  source.size = {64, 48};
  source.frame_rate = {25, 1};
  source.time_base = {1, 25};
  auto renderer = Renderer::create({.folder = path(""), .mirror = false}, source, &times);
  ASSERT_TRUE(renderer) << renderer.error().what;
  Frame frame;
  frame.bgr = cv::Mat(48, 64, CV_8UC(5));
  ASSERT_TRUE((*renderer)->push(frame, {}));
  EXPECT_FALSE((*renderer)->mark(1)->wait());
  const Result<void> finished = (*renderer)->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, Errc::internal) << finished.error().what;
}

TEST(BoundedQueue, AProducerIsReleasedWhenTheConsumerGivesUp) {
  BoundedQueue<int> queue(2);
  std::thread consumer([&] {
    queue.pop();
    queue.close();
  });
  int pushed = 0;
  while (queue.push(pushed))
    ++pushed;
  consumer.join();
  EXPECT_GE(pushed, 1);
  EXPECT_LE(pushed, 3);
  while (queue.pop()) {
  }
  EXPECT_FALSE(queue.push(0));
}

}  // namespace
}  // namespace vultus
