// Runs that are stopped, killed or fail, and what the next one makes of what they have left.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <new>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <sstream>
#include <system_error>

#include "tests/models/process_fixture.hpp"
#include "tests/models/results.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using test::contents;
using test::expect_same;
using test::Files;

class Resuming : public test::ProcessFixture {
 protected:
  Result<Summary> run(const std::string& clip) const {
    return process_input(test::shared("media/" + clip + ".mp4"), options_);
  }
  /// An uninterrupted run.
  Files whole(const std::string& clip) {
    ProcessOptions plain = options_;
    plain.out = (root_ / "whole").string();
    auto summary = process_input(test::shared("media/" + clip + ".mp4"), plain);
    EXPECT_TRUE(summary) << summary.error().what;
    return contents(root_ / "whole" / clip);
  }
  fs::path out(const std::string& name) const { return root_ / "out" / name; }
  fs::path partial(const std::string& clip) const { return out("." + clip + ".vultus-partial"); }
  void stop_at(int64_t frame) {
    options_.cancel = &cancel_;
    options_.progress = [this, frame](const Progress& p) { cancel_ = p.frames == frame; };
    cancel_ = false;
  }
  void do_not_stop() {
    options_.cancel = nullptr;
    options_.progress = {};
  }
  void expect_same_when_stopped_at(const std::vector<int64_t>& frames) {
    const std::string clip = "intel_asl_10s";
    const Files expected = whole(clip);
    for (int64_t frame : frames) {
      SCOPED_TRACE(frame);
      stop_at(frame);
      Result<Summary> stopped = run(clip);
      ASSERT_FALSE(stopped);
      EXPECT_EQ(stopped.error().code, Errc::interrupted);
      EXPECT_NE(stopped.error().what.find("the same command again"), std::string::npos);
      EXPECT_NE(stopped.error().what.find(std::to_string(frame)), std::string::npos)
          << stopped.error().what;
      EXPECT_FALSE(fs::exists(out(clip)));
      EXPECT_TRUE(fs::exists(partial(clip)));
    }
    do_not_stop();
    const Summary last = expect_completes(clip, expected);
    EXPECT_EQ(last.resumed_at, frames.back());
    EXPECT_EQ(last.resumptions, static_cast<int>(frames.size()));
    EXPECT_TRUE(run(clip)->skipped);
  }
  /// The next run succeeds, and nothing but its results is there.
  Summary expect_completes(const std::string& clip, const Files& expected) {
    Result<Summary> summary = run(clip);
    EXPECT_TRUE(summary) << summary.error().what;
    if (!summary) return {};
    expect_same(contents(out(clip)), expected);
    EXPECT_FALSE(fs::exists(partial(clip)));
    return *summary;
  }

  std::atomic<bool> cancel_ = false;
};

TEST_F(Resuming, StoppedAgainAndAgainTheResultsAreTheSame) {
  expect_same_when_stopped_at({5, 99, 100, 101, 163, 199, 299});
}

TEST_F(Resuming, StoppedBetweenBatchesTheResultsAreTheSame) {
  options_.batch = 4;
  options_.mirror = false;
  expect_same_when_stopped_at({8, 100, 164, 296});
}

// Pieces of the videos end at multiples of 100, batches at multiples of 7.
TEST_F(Resuming, KilledBetweenBatchesTheResultsAreTheSame) {
  options_.batch = 7;
  const std::string clip = "intel_asl_10s";
  options_.progress = [&](const Progress& p) {
    EXPECT_TRUE(p.frames % 7 == 0 || p.frames == 299) << p.frames;
    if (p.frames == 210) fs::copy(partial(clip), root_ / "killed");
  };
  ASSERT_TRUE(run(clip));
  const Files expected = contents(out(clip));
  fs::remove_all(root_ / "out");
  fs::create_directories(root_ / "out");
  fs::rename(root_ / "killed", partial(clip));
  options_.progress = {};
  const Summary resumed = expect_completes(clip, expected);
  EXPECT_GE(resumed.resumed_at, 100);
  EXPECT_EQ(resumed.resumed_at % 7, 0);
  const std::string cover =
      fmt::format("measured {} of the 299 frames; earlier runs", 299 - resumed.resumed_at);
  EXPECT_NE(test::text_of(out(clip) / "report.html").find(cover), std::string::npos) << cover;
  std::ifstream manifest(out(clip) / "run.json");
  EXPECT_EQ(json::parse(manifest)["batch"], 7);
}

TEST_F(Resuming, KilledAnywhereTheResultsAreTheSame) {
  const std::string clip = "intel_asl_10s";
  // What lies on the disk at that moment is all that a killed run leaves.
  const std::vector<int64_t> moments{60, 101, 215, 299};
  options_.progress = [&](const Progress& p) {
    if (std::ranges::find(moments, p.frames) != moments.end())
      fs::copy(partial(clip), root_ / std::to_string(p.frames));
  };
  Result<Summary> summary = run(clip);
  ASSERT_TRUE(summary) << summary.error().what;
  const Files expected = contents(out(clip));
  options_.progress = {};
  for (int64_t moment : moments) {
    SCOPED_TRACE(moment);
    fs::remove_all(root_ / "out");
    fs::create_directories(root_ / "out");
    fs::rename(root_ / std::to_string(moment), partial(clip));
    const Summary resumed = expect_completes(clip, expected);
    EXPECT_LE(resumed.resumed_at, moment);
    EXPECT_GE(resumed.resumed_at, moment > 210 ? 100 : 0);
    EXPECT_EQ(resumed.begun_again, "");
  }
}

TEST_F(Resuming, WhatIsDamagedOrOfOtherOptionsIsBegunAgain) {
  const std::string clip = "vfr";
  const Files expected = whole(clip);
  const auto flip = [](const fs::path& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(0, std::ios::end);
    const auto middle = file.tellg() / 2;
    file.seekg(middle);
    const char byte = static_cast<char>(file.get() ^ 8);
    file.seekp(middle);
    file.put(byte);
  };
  const std::vector<std::pair<std::string, std::function<void()>>> damages{
      {"journal", [&] { flip(partial(clip) / "frames.journal"); }},
      {"cut journal", [&] { fs::resize_file(partial(clip) / "frames.journal", 2000); }},
      {"no journal", [&] { fs::remove(partial(clip) / "frames.journal"); }},
      {"checkpoint", [&] { flip(partial(clip) / "checkpoint"); }},
      {"empty checkpoint", [&] { fs::resize_file(partial(clip) / "checkpoint", 0); }},
      {"options", [&] { options_.smooth = true; }},
      {"batch", [&] { options_.batch = 0; }}};
  for (const auto& [what, damage] : damages) {
    SCOPED_TRACE(what);
    fs::remove_all(root_ / "out");
    options_.smooth = what != "options";
    options_.batch = what == "batch" ? 2 : 0;
    stop_at(20);
    ASSERT_FALSE(run(clip));
    do_not_stop();
    damage();
    const Summary again = expect_completes(clip, expected);
    EXPECT_EQ(again.resumed_at, 0);
    EXPECT_NE(again.begun_again, "");
  }
}

TEST_F(Resuming, DamagedPacketsAreBegunAgain) {
  const std::string clip = "intel_asl_10s";
  stop_at(101);
  ASSERT_FALSE(run(clip));
  do_not_stop();
  const fs::path packets = partial(clip) / "right_mirrored.mp4.packets";
  fs::resize_file(packets, fs::file_size(packets) / 2);
  stop_at(3);
  options_.progress = [this, stop = options_.progress](const Progress& p) {
    EXPECT_LE(p.frames, 3) << "from the beginning";
    stop(p);
  };
  Result<Summary> again = run(clip);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().what.find("after frame 3"), std::string::npos) << again.error().what;
}

TEST_F(Resuming, WhatCannotBeReadForNowIsKept) {
  const std::string clip = "intel_asl_10s";
  stop_at(101);
  ASSERT_FALSE(run(clip));
  do_not_stop();
  for (const char* name : {"checkpoint", "frames.journal", "left_mirrored.mp4.packets"}) {
    SCOPED_TRACE(name);
    const fs::path file = partial(clip) / name, aside = root_ / "aside";
    fs::rename(file, aside);
    fs::create_symlink(file, file);  // the system refuses to open it, also for root
    Result<Summary> refused = run(clip);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::unwritable) << refused.error().what;
    EXPECT_NE(refused.error().what.find(name), std::string::npos) << refused.error().what;
    ASSERT_TRUE(fs::is_symlink(file));
    fs::rename(aside, file);
  }
  stop_at(102);
  Result<Summary> stopped = run(clip);
  ASSERT_FALSE(stopped);
  EXPECT_NE(stopped.error().what.find("after frame 102"), std::string::npos)
      << "not gone on from frame 101: " << stopped.error().what;
}

TEST_F(Resuming, AnInputThatCannotBeReadForNowCostsNothing) {
  const fs::path clip = root_ / "clip.mp4";
  fs::copy_file(test::shared("media/intel_asl_10s.mp4"), clip);
  const auto changed = fs::last_write_time(clip);
  stop_at(101);
  ASSERT_FALSE(process_input(clip.string(), options_));
  // As long and as old as before, but what is behind its index is gone.
  const auto size = fs::file_size(clip);
  fs::resize_file(clip, 60000);
  fs::resize_file(clip, size);
  fs::last_write_time(clip, changed);
  do_not_stop();
  Result<Summary> failed = process_input(clip.string(), options_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::bad_input) << failed.error().what;
  EXPECT_TRUE(fs::exists(partial("clip") / "checkpoint")) << failed.error().what;
}

TEST_F(Resuming, AnExceptionIsAnErrorAndWhatIsDoneIsKept) {
  const std::string clip = "intel_asl_10s";
  const std::vector<std::pair<Errc, std::function<void()>>> exceptions{
      {Errc::out_of_memory, [] { throw std::bad_alloc(); }},
      {Errc::out_of_memory,
       [] { throw std::system_error(std::make_error_code(std::errc::no_buffer_space)); }},
      {Errc::internal,
       [] { throw cv::Exception(cv::Error::StsAssert, "dsize", "resize", "resize.cpp", 1); }},
      {Errc::out_of_memory,
       [] { throw cv::Exception(cv::Error::StsNoMem, "no", "alloc", "alloc.cpp", 1); }}};
  int64_t at = 120;
  for (const auto& [code, raise] : exceptions) {
    options_.progress = [&, raise = raise](const Progress& p) {
      if (p.frames == at) raise();
    };
    Result<Summary> failed = run(clip);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, code) << failed.error().what;
    EXPECT_TRUE(fs::exists(partial(clip) / "checkpoint"));
    ++at;
  }
}

TEST_F(Resuming, ForceBeginsAgain) {
  const std::string clip = "vfr";
  stop_at(30);
  ASSERT_FALSE(run(clip));
  do_not_stop();
  options_.force = true;
  Result<Summary> summary = run(clip);
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_EQ(summary->resumed_at, 0);
  EXPECT_EQ(summary->resumptions, 0);
}

TEST_F(Resuming, AFullDiskLeavesWhatIsDoneAndTheNextRunGoesOn) {
  const std::string clip = "intel_asl_10s";
  const Files expected = whole(clip);
  // A limit on the size of files stands for the full disk; its signal would end the program.
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  options_.progress = [&](const Progress& p) {
    rlimit full{4096, before.rlim_max};
    if (p.frames == 160) setrlimit(RLIMIT_FSIZE, &full);
  };
  Result<Summary> failed = run(clip);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Errc::unwritable) << failed.error().what;
  EXPECT_NE(failed.error().what.find("kept"), std::string::npos) << failed.error().what;
  options_.progress = {};
  EXPECT_GE(expect_completes(clip, expected).resumed_at, 100);
}

TEST_F(Resuming, WhatFailsAtTheEndIsTakenUpAtTheEnd) {
  const std::string clip = "vfr";
  const Files expected = whole(clip);
  for (const char* name : {"left_mirrored.mp4", "overlay.mp4", "landmarks.csv", "summary.json"}) {
    SCOPED_TRACE(name);
    // A folder in the way of a result.
    options_.progress = [&](const Progress& p) {
      if (p.frames == 59) fs::create_directory(partial(clip) / name);
    };
    Result<Summary> failed = run(clip);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, Errc::unwritable) << failed.error().what;
    fs::remove(partial(clip) / name);
    options_.progress = [](const Progress&) { ADD_FAILURE() << "nothing is left to measure"; };
    EXPECT_EQ(expect_completes(clip, expected).resumed_at, 59);
    fs::remove_all(root_ / "out");
  }
}

TEST_F(Resuming, ACutOffRecordingTellsTheSameOfItsLosses) {
  const std::string clip = "truncated";
  const Files expected = whole(clip);
  stop_at(4);
  ASSERT_FALSE(run(clip));
  do_not_stop();
  EXPECT_FALSE(expect_completes(clip, expected).complete);
}

}  // namespace
}  // namespace vultus
