// Writing that is taken up again, and what becomes of the pieces.
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <opencv2/core.hpp>
#include <sstream>

#include "models/video/ffmpeg.hpp"
#include "models/video/packets.hpp"
#include "models/video/reader.hpp"
#include "models/video/writer.hpp"
#include "tests/support/support.hpp"
#include "tests/support/temporary_folder.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Joining : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (root_ / name).string(); }
  const test::TemporaryFolder temporary_;
  const fs::path root_ = temporary_.path();
};

/// Noise that drifts: every picture differs and is worth predicting from the one before.
cv::Mat picture(int number, cv::Size size) {
  cv::Mat noise(size, CV_8UC3);
  cv::RNG(9).fill(noise, cv::RNG::UNIFORM, 0, 200);
  for (int y = 0; y < size.height; ++y)
    std::rotate(noise.ptr(y), noise.ptr(y) + 3 * (number % size.width),
                noise.ptr(y) + 3 * size.width);
  return noise;
}

const WriterOptions kOptions{.size = {71, 51}, .time_base = {1, 1000}, .frame_rate = {25, 1}};

/// Writes pictures first..last-1 with a checkpoint before each multiple of ten.
Result<int64_t> write(VideoWriter& writer, int first, int last) {
  int64_t length = 0;
  for (int i = first; i < last; ++i) {
    if (i > first && i % 10 == 0) {
      VULTUS_TRY(length, writer.checkpoint());
    }
    // An uneven rate.
    VULTUS_CHECK(writer.write(picture(i, kOptions.size), 40 * i + i * i % 17, i % 3 ? 40 : 0));
  }
  return length;
}

TEST_F(Joining, AWriterThatGoesOnGivesTheSameBytesWhereverItStopped) {
  VideoWriter whole = VideoWriter::create(path("whole.mp4"), kOptions).value();
  ASSERT_TRUE(write(whole, 0, 37));
  ASSERT_EQ(whole.finish().value().frames, 37);
  const std::string expected = bytes_of(path("whole.mp4"));
  for (int stop : {11, 19, 20, 21, 30, 36}) {
    SCOPED_TRACE(stop);
    int64_t length = 0;
    {
      VideoWriter first = VideoWriter::create(path("a.mp4"), kOptions).value();
      length = write(first, 0, stop).value();
    }
    ASSERT_TRUE(fs::exists(path("a.mp4.packets"))) << "there was a checkpoint";
    VideoWriter second = VideoWriter::resume(path("a.mp4"), kOptions, length).value();
    const int done = (stop - 1) / 10 * 10;
    EXPECT_EQ(second.frames(), done);
    ASSERT_TRUE(write(second, done, 37));
    ASSERT_TRUE(second.finish());
    EXPECT_TRUE(bytes_of(path("a.mp4")) == expected);
  }
}

TEST_F(Joining, PacketsThatAreDamagedShortOrOfAnotherVideoAreRefused) {
  int64_t length = 0;
  {
    VideoWriter writer = VideoWriter::create(path("a.mp4"), kOptions).value();
    length = write(writer, 0, 25).value();
  }
  const std::string good = bytes_of(path("a.mp4.packets")).substr(0, static_cast<size_t>(length));
  auto refused = [&](const std::string& bytes, const WriterOptions& options) {
    std::ofstream(path("a.mp4.packets"), std::ios::binary) << bytes;
    Result<VideoWriter> writer = VideoWriter::resume(path("a.mp4"), options, length);
    return !writer && writer.error().code == Errc::mismatch;
  };
  EXPECT_FALSE(refused(good, kOptions));
  EXPECT_TRUE(refused(good.substr(0, good.size() - 1), kOptions));
  for (size_t at = 0; at < good.size(); at += good.size() / 50) {
    std::string flipped = good;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    ASSERT_TRUE(refused(flipped, kOptions)) << "byte " << at;
  }
  WriterOptions larger = kOptions;
  larger.size = {80, 51};
  EXPECT_TRUE(refused(good, larger));
}

TEST_F(Joining, WhatLiesInUnusedMemoryIsNotInTheBytes) {
  // Large blocks from the heap, where what was freed lies about, as in the program itself.
  mallopt(M_MMAP_THRESHOLD, 512 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  std::vector<std::string> found;
  for (int filling : {0, 0, 255, 0x7f}) {
    std::vector<char*> blocks;
    for (int i = 0; i < 16; ++i)
      std::memset(blocks.emplace_back(static_cast<char*>(std::malloc(4 << 20))), filling, 4 << 20);
    for (char* block : blocks)
      std::free(block);
    WriterOptions options = kOptions;
    options.size = {480, 360};
    VideoWriter writer = VideoWriter::create(path("a.mp4"), options).value();
    for (int i = 0; i < 30; ++i)
      ASSERT_TRUE(writer.write(picture(i, options.size), 40 * i, 40));
    ASSERT_TRUE(writer.finish());
    found.push_back(bytes_of(path("a.mp4")));
  }
  for (const std::string& bytes : found)
    EXPECT_TRUE(bytes == found.front());
}

TEST_F(Joining, TimesOfAClipOfUnevenRateSurviveThePieces) {
  VULTUS_NEED_SHARED(clip, "media/vfr.mp4");
  VideoReader source = VideoReader::open(clip).value();
  VideoWriter writer =
      VideoWriter::create(path("a.mp4"), WriterOptions::like(source.info())).value();
  std::vector<int64_t> times;
  while (auto frame = source.next().value()) {
    if (frame->index == 20 || frame->index == 21) {
      ASSERT_TRUE(writer.checkpoint());
    }
    ASSERT_TRUE(writer.write(frame->bgr, frame->pts, frame->duration));
    times.push_back(frame->pts);
  }
  ASSERT_TRUE(writer.finish());
  VideoReader joined = VideoReader::open(path("a.mp4")).value();
  std::vector<int64_t> again;
  while (auto frame = joined.next().value())
    again.push_back(frame->pts);
  EXPECT_EQ(again, times);
  // Each piece begins with a key picture and none refers to a picture before it.
  auto demuxer = ffmpeg::Demuxer::open(path("a.mp4"), 8192).value();
  ffmpeg::Owned<AVPacket> packet(av_packet_alloc());
  std::vector<int> keys;
  for (int number = 0; av_read_frame(demuxer.get(), packet.get()) >= 0; ++number) {
    if ((packet->flags & AV_PKT_FLAG_KEY) != 0) keys.push_back(number);
    av_packet_unref(packet.get());
  }
  for (int begin : {0, 20, 21})
    EXPECT_TRUE(std::find(keys.begin(), keys.end(), begin) != keys.end()) << begin;
}

TEST_F(Joining, DamagedPacketsMakeNoVideo) {
  {
    VideoWriter writer = VideoWriter::create(path("a.mp4"), kOptions).value();
    ASSERT_TRUE(write(writer, 0, 21));
  }
  std::string bytes = bytes_of(path("a.mp4.packets"));
  bytes[bytes.size() / 2] ^= 1;
  std::ofstream(path("a.mp4.packets"), std::ios::binary) << bytes;
  Result<WriteSummary> joined = join_mp4(path("a.mp4.packets"), path("b.mp4"), {});
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, Errc::mismatch);
  EXPECT_FALSE(fs::exists(path("b.mp4")));
  EXPECT_FALSE(fs::exists(path("b.mp4.partial")));
}

}  // namespace
}  // namespace vultus
