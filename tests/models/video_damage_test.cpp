// Recordings of which a part is missing or wrong.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "models/video/reader.hpp"
#include "tests/support/support.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

class DamagedVideo : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return temporary_.path() + "/" + name; }
  /// Runs ffmpeg, which tools/setup installs.
  void make(const std::string& arguments) const {
    ASSERT_EQ(std::system(("ffmpeg -nostdin -v error -y " + arguments).c_str()), 0) << arguments;
  }
  static std::string bytes_of(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void write(const std::string& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
  }
  struct Reading {
    ReadSummary summary;
    std::vector<bool> damaged;
  };
  static Reading read(const std::string& file) {
    Reading reading;
    auto reader = VideoReader::open(file);
    EXPECT_TRUE(reader);
    while (reader) {
      auto frame = reader->next();
      EXPECT_TRUE(frame);
      if (!frame || !*frame) break;
      reading.damaged.push_back((*frame)->damaged);
    }
    if (reader) reading.summary = reader->summary();
    return reading;
  }

  const test::TemporaryFolder temporary_;
};

TEST_F(DamagedVideo, AContainerThatCountsNoFramesTellsByItsLengthThatItIsCutOff) {
  VULTUS_NEED_SHARED(clip, "media/intel_asl_10s.mp4");
  for (const char* name : {"cut.mkv", "cut.webm"}) {
    SCOPED_TRACE(name);
    make("-i " + clip + " -t 4 -an -s 160x120 " +
         (name == std::string("cut.webm") ? "-c:v libvpx -deadline realtime " : "") + path(name));
    const Reading whole = read(path(name));
    EXPECT_EQ(whole.summary.declared_frames, 0);
    EXPECT_EQ(whole.summary.missing, std::vector<std::string>{});
    const std::string bytes = bytes_of(path(name));
    write(path(name), bytes.substr(0, bytes.size() / 2));
    const Reading cut = read(path(name));
    EXPECT_LT(cut.damaged.size(), whole.damaged.size() - 30);
    ASSERT_EQ(cut.summary.missing.size(), 1u);
    EXPECT_NE(cut.summary.missing[0].find("tells of 4.0 s, its pictures end after"),
              std::string::npos)
        << cut.summary.missing[0];
  }
}

TEST_F(DamagedVideo, DroppedPicturesOfAnAviAreNotMissing) {
  VULTUS_NEED_SHARED(clip, "media/vfr.mp4");
  make("-i " + clip + " -an -c copy " + path("uneven.avi"));
  const Reading reading = read(path("uneven.avi"));
  EXPECT_GT(reading.damaged.size(), 50u);
  EXPECT_EQ(reading.summary.lost_frames(), 0);
  EXPECT_EQ(reading.summary.missing, std::vector<std::string>{});
  EXPECT_EQ(reading.summary.warnings, std::vector<std::string>{});
}

TEST_F(DamagedVideo, WhatFollowsAChangeOfThePictureSizeIsMissing) {
  make("-f lavfi -i testsrc=s=320x240:d=1 -c:v libx264 " + path("large.ts"));
  make("-f lavfi -i testsrc=s=160x120:d=1 -c:v libx264 -output_ts_offset 1 " + path("small.ts"));
  write(path("both.ts"), bytes_of(path("large.ts")) + bytes_of(path("small.ts")));
  make("-i " + path("both.ts") + " -c copy " + path("both.mkv"));
  const Reading reading = read(path("both.mkv"));
  EXPECT_EQ(reading.damaged.size(), 25u);
  ASSERT_EQ(reading.summary.missing.size(), 1u);
  EXPECT_EQ(reading.summary.missing[0],
            "the picture changes from 320x240 to 160x120 after 25 frames: reading stopped there");
}

TEST_F(DamagedVideo, PicturesPredictedFromADamagedOneAreDamagedUpToTheNextKeyPicture) {
  VULTUS_NEED_SHARED(clip, "media/intel_asl_10s.mp4");
  make("-i " + clip + " -t 4 -an -c:v libx264 -g 30 -sc_threshold 0 " + path("whole.mp4"));
  std::string bytes = bytes_of(path("whole.mp4"));
  // In the media data, which begins behind some 50 bytes and ends before the index.
  for (size_t i = 0; i < 12; ++i)
    bytes[bytes.size() * 2 / 5 + i] ^= static_cast<char>(0x5a);
  write(path("flipped.mp4"), bytes);
  const Reading whole = read(path("whole.mp4")), flipped = read(path("flipped.mp4"));
  EXPECT_EQ(std::ranges::count(whole.damaged, true), 0);
  ASSERT_EQ(flipped.damaged.size(), whole.damaged.size());
  const auto first = std::ranges::find(flipped.damaged, true);
  ASSERT_NE(first, flipped.damaged.end());
  const auto at = first - flipped.damaged.begin();
  const auto next_key = (at / 30 + 1) * 30;
  EXPECT_LT(at % 30, 28) << "too near to a key picture to see anything";
  for (std::ptrdiff_t i = 0; i < std::ssize(flipped.damaged); ++i)
    EXPECT_EQ(flipped.damaged[static_cast<size_t>(i)], i >= at && i < next_key) << i;
}

}  // namespace
}  // namespace vultus
