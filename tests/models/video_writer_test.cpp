#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <opencv2/core.hpp>

#include "models/video/ffmpeg.hpp"
#include "models/video/reader.hpp"
#include "models/video/writer.hpp"
#include "tests/support/support.hpp"

namespace vultus {
namespace {

namespace fs = std::filesystem;

class VideoWriterTest : public testing::Test {
 protected:
  VideoWriterTest() { fs::create_directories(folder_); }
  ~VideoWriterTest() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  const fs::path folder_ =
      fs::temp_directory_path() / ("vultus_writer_" + std::to_string(::getpid()));
};

struct Copy {
  std::vector<int64_t> pts;
  WriteSummary summary;
  int64_t end = 0;  // of the last picture
};

/// Reads `from` and writes every picture to `to`.
Copy copy(const std::string& from, const std::string& to, bool index_first = false) {
  Copy result;
  auto reader = VideoReader::open(from);
  if (!reader) {
    ADD_FAILURE() << reader.error().what;
    return result;
  }
  WriterOptions options = WriterOptions::like(reader->info());
  options.file.index_first = index_first;
  auto writer = VideoWriter::create(to, options);
  if (!writer) {
    ADD_FAILURE() << writer.error().what;
    return result;
  }
  while (true) {
    auto frame = reader->next();
    if (!frame || !*frame) break;
    auto written = writer->write((*frame)->bgr, (*frame)->pts, (*frame)->duration);
    if (!written) ADD_FAILURE() << written.error().what;
    result.pts.push_back((*frame)->pts);
    result.end = (*frame)->pts + (*frame)->duration;
  }
  auto finished = writer->finish();
  if (finished)
    result.summary = *finished;
  else
    ADD_FAILURE() << finished.error().what;
  return result;
}

struct RoundTrip {
  const char* clip;
  double least_psnr;  // of the whole picture: crf 18, and what 4:2:0 loses on this content
};

class EveryRoundTrip : public VideoWriterTest, public testing::WithParamInterface<RoundTrip> {};

TEST_P(EveryRoundTrip, KeepsCountTimesDurationAndPicture) {
  VULTUS_NEED_SHARED(source, std::string("media/") + GetParam().clip + ".mp4");
  const std::string out = path("copy.mp4");
  Copy written = copy(source, out);
  EXPECT_FALSE(fs::exists(out + ".partial"));
  auto original = VideoReader::open(source);
  auto reread = VideoReader::open(out);
  ASSERT_TRUE(original);
  ASSERT_TRUE(reread) << reread.error().what;
  const VideoInfo& before = original->info();
  const VideoInfo& after = reread->info();
  EXPECT_EQ(after.declared_frames, static_cast<int64_t>(written.pts.size()));
  EXPECT_EQ(after.time_base.den, before.time_base.den);
  // What is shown: the container's own word for the source is a sum of decoding times.
  EXPECT_NEAR(after.duration_seconds,
              static_cast<double>(written.end - written.pts.at(0)) * before.time_base.value(),
              1e-9);
  EXPECT_TRUE(after.orientation.upright());
  EXPECT_EQ(after.size.width, before.size.width + before.size.width % 2);
  EXPECT_EQ(after.size.height, before.size.height + before.size.height % 2);
  EXPECT_EQ(after.has_audio, before.has_audio);
  EXPECT_EQ(written.summary.frames, static_cast<int64_t>(written.pts.size()));
  size_t count = 0;
  double error = 0;
  while (true) {
    auto a = original->next();
    auto b = reread->next();
    ASSERT_TRUE(a && b);
    ASSERT_EQ(a->has_value(), b->has_value()) << "picture " << count;
    if (!*a) break;
    EXPECT_EQ((*b)->pts, (*a)->pts) << "picture " << count;
    cv::Mat inside = (*b)->bgr(cv::Rect(cv::Point(), before.size));
    double norm = cv::norm((*a)->bgr, inside, cv::NORM_L2SQR);
    error += norm / static_cast<double>(inside.total() * 3);
    ++count;
  }
  ASSERT_EQ(count, written.pts.size());
  double psnr = 10 * std::log10(255 * 255 / (error / static_cast<double>(count)));
  EXPECT_GT(psnr, GetParam().least_psnr);
}

INSTANTIATE_TEST_SUITE_P(VideoWriter, EveryRoundTrip,
                         testing::Values(RoundTrip{"intel_head_pose_two_faces", 34},
                                         RoundTrip{"intel_asl_rotated_metadata", 34},
                                         RoundTrip{"intel_bottle_noface_3s", 34},
                                         RoundTrip{"vfr", 34}, RoundTrip{"odd_size", 30},
                                         RoundTrip{"gray", 34}),
                         [](const auto& trip) { return std::string(trip.param.clip); });

std::vector<std::string> audio_packets(const std::string& path) {
  std::vector<std::string> packets;
  auto demuxer = ffmpeg::Demuxer::open(path, 8192);
  EXPECT_TRUE(demuxer);
  if (!demuxer) return packets;
  AVStream* audio = demuxer->stream(AVMEDIA_TYPE_AUDIO);
  if (audio == nullptr) return packets;
  ffmpeg::Owned<AVPacket> packet(av_packet_alloc());
  while (av_read_frame(demuxer->get(), packet.get()) >= 0) {
    if (packet->stream_index == audio->index)
      packets.push_back(std::to_string(packet->pts) + ":" +
                        std::string(reinterpret_cast<const char*>(packet->data),
                                    static_cast<size_t>(packet->size)));
    av_packet_unref(packet.get());
  }
  return packets;
}

TEST_F(VideoWriterTest, SoundIsCopiedPacketByPacketWithItsTimes) {
  VULTUS_NEED_SHARED(source, "media/camera_motion_astronaut_1080p.mp4");
  auto reader = VideoReader::open(source);
  ASSERT_TRUE(reader);
  // Small pictures: only the sound is looked at.
  WriterOptions options = WriterOptions::like(reader->info());
  options.size = {64, 36};
  auto writer = VideoWriter::create(path("sound.mp4"), options);
  ASSERT_TRUE(writer) << writer.error().what;
  cv::Mat picture(36, 64, CV_8UC3, cv::Scalar(10, 90, 200));
  for (int i = 0; i < 180; ++i)
    ASSERT_TRUE(writer->write(picture, i * 1001, 1001));
  auto summary = writer->finish();
  ASSERT_TRUE(summary) << summary.error().what;
  EXPECT_TRUE(summary->warnings.empty());
  auto expected = audio_packets(source);
  EXPECT_GT(expected.size(), 280u);
  EXPECT_EQ(audio_packets(path("sound.mp4")), expected);
  EXPECT_EQ(summary->audio_packets, static_cast<int64_t>(expected.size()));
}

TEST_F(VideoWriterTest, SoundEndsWithThePictures) {
  VULTUS_NEED_SHARED(source, "media/camera_motion_astronaut_1080p.mp4");
  auto reader = VideoReader::open(source);
  ASSERT_TRUE(reader);
  WriterOptions options = WriterOptions::like(reader->info());
  options.size = {64, 36};
  auto writer = VideoWriter::create(path("short.mp4"), options);
  ASSERT_TRUE(writer);
  cv::Mat picture(36, 64, CV_8UC3, cv::Scalar(10, 90, 200));
  for (int i = 0; i < 30; ++i)
    ASSERT_TRUE(writer->write(picture, i * 1001, 1001));
  auto summary = writer->finish();
  ASSERT_TRUE(summary);
  EXPECT_NEAR(static_cast<double>(summary->audio_packets), 1.001 * 48000 / 1024, 2);
}

TEST_F(VideoWriterTest, AFirstPictureAfterZeroStaysThere) {
  WriterOptions options{.size = {64, 48}, .time_base = {1, 90000}, .frame_rate = {25, 1}};
  auto writer = VideoWriter::create(path("late.mp4"), options);
  ASSERT_TRUE(writer);
  cv::Mat picture(48, 64, CV_8UC3, cv::Scalar(1, 2, 3));
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(writer->write(picture, 12345 + i * 3600, 3600));
  ASSERT_TRUE(writer->finish());
  auto reader = VideoReader::open(path("late.mp4"));
  ASSERT_TRUE(reader);
  for (int i = 0; i < 5; ++i) {
    auto frame = reader->next();
    ASSERT_TRUE(frame && *frame);
    EXPECT_EQ((*frame)->pts, 12345 + i * 3600);
  }
}

TEST_F(VideoWriterTest, ATimeBaseWithANumeratorIsKeptExactly) {
  WriterOptions options{.size = {64, 48}, .time_base = {1001, 30000}, .frame_rate = {30000, 1001}};
  auto writer = VideoWriter::create(path("ntsc.mp4"), options);
  ASSERT_TRUE(writer);
  cv::Mat picture(48, 64, CV_8UC3, cv::Scalar(1, 2, 3));
  for (int i = 0; i < 7; ++i)
    ASSERT_TRUE(writer->write(picture, i, 1));
  ASSERT_TRUE(writer->finish());
  auto reader = VideoReader::open(path("ntsc.mp4"));
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->info().frame_rate, (Rational{30000, 1001}));
  EXPECT_NEAR(reader->info().duration_seconds, 7 * 1001 / 30000.0, 1e-9);
  ASSERT_TRUE(reader->next());
  auto second = reader->next();
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->pts, 1001);
}

TEST_F(VideoWriterTest, TheIndexCanStandInFront) {
  VULTUS_NEED_SHARED(source, "media/intel_classroom.mp4");
  Copy written = copy(source, path("front.mp4"), true);
  std::ifstream file(path("front.mp4"), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  EXPECT_LT(bytes.find("moov"), bytes.find("mdat"));
  auto reader = VideoReader::open(path("front.mp4"));
  ASSERT_TRUE(reader) << reader.error().what;
  EXPECT_EQ(reader->info().declared_frames, 45);
}

TEST_F(VideoWriterTest, WithoutFinishNothingIsLeft) {
  {
    auto writer = VideoWriter::create(
        path("given_up.mp4"), {.size = {64, 48}, .time_base = {1, 25}, .frame_rate = {25, 1}});
    ASSERT_TRUE(writer);
    EXPECT_TRUE(fs::exists(path("given_up.mp4.packets")));
    ASSERT_TRUE(writer->write(cv::Mat::zeros(48, 64, CV_8UC3), 0, 1));
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(VideoWriterTest, AFullDiskIsReportedWithTheSystemsWordsAndLeavesNothing) {
  // A limit on the file size stands for the full disk.
  struct rlimit old {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit small {
    100000, old.rlim_max
  };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  Result<void> result;
  {
    auto writer = VideoWriter::create(
        path("full.mp4"),
        {.size = {320, 240}, .time_base = {1, 25}, .frame_rate = {25, 1}, .crf = 5});
    ASSERT_TRUE(writer);
    cv::Mat noise(240, 320, CV_8UC3);
    cv::RNG random(3);
    for (int i = 0; i < 50 && result; ++i) {
      random.fill(noise, cv::RNG::UNIFORM, 0, 256);
      result = writer->write(noise, i, 1);
    }
    if (result)
      if (auto finished = writer->finish(); !finished) result = finished.error();
  }
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Errc::unwritable);
  EXPECT_EQ(result.error().what, "cannot write " + path("full.mp4") + ": File too large");
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(VideoWriterTest, PlacesThatCannotBeWrittenAreNamed) {
  WriterOptions options{.size = {64, 48}, .time_base = {1, 25}, .frame_rate = {25, 1}};
  auto missing = VideoWriter::create(path("no/such/folder.mp4"), options);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::unwritable);
  EXPECT_EQ(missing.error().what,
            "cannot write " + path("no/such/folder.mp4") + ": No such file or directory");
  fs::create_directories(folder_ / "folder.mp4");
  auto folder = VideoWriter::create(path("folder.mp4"), options);
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().what, "cannot write " + path("folder.mp4") + ": Is a directory");
}

TEST_F(VideoWriterTest, ImpossibleOptionsAndPicturesAreRefused) {
  WriterOptions good{.size = {64, 48}, .time_base = {1, 25}, .frame_rate = {25, 1}};
  auto with = [&](auto change) {
    WriterOptions options = good;
    change(options);
    return static_cast<bool>(VideoWriter::create(path("bad.mp4"), options));
  };
  EXPECT_FALSE(with([](auto& o) { o.size = {0, 48}; }));
  EXPECT_FALSE(with([](auto& o) { o.size = {64, 20000}; }));
  EXPECT_FALSE(with([](auto& o) { o.time_base = {0, 1}; }));
  EXPECT_FALSE(with([](auto& o) { o.time_base = {1, int64_t{1} << 40}; }));
  EXPECT_FALSE(with([](auto& o) { o.crf = 99; }));
  testing::internal::CaptureStderr();
  EXPECT_FALSE(with([](auto& o) { o.preset = "no such preset"; }));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(fs::is_empty(folder_));
  auto writer = VideoWriter::create(path("ok.mp4"), good);
  ASSERT_TRUE(writer);
  EXPECT_FALSE(writer->write(cv::Mat::zeros(48, 62, CV_8UC3), 0, 1));
  EXPECT_FALSE(writer->write(cv::Mat::zeros(48, 64, CV_8UC1), 0, 1));
  ASSERT_TRUE(writer->write(cv::Mat::zeros(48, 64, CV_8UC3), 4, 1));
  EXPECT_FALSE(writer->write(cv::Mat::zeros(48, 64, CV_8UC3), 4, 1));
}

TEST_F(VideoWriterTest, ColoursAreTaggedByTheNumberOfLines) {
  for (int height : {480, 720}) {
    const std::string name = path("tag" + std::to_string(height) + ".mp4");
    auto writer = VideoWriter::create(
        name, {.size = {64, height}, .time_base = {1, 25}, .frame_rate = {25, 1}});
    ASSERT_TRUE(writer);
    cv::Mat picture(height, 64, CV_8UC3, cv::Scalar(40, 160, 90));
    ASSERT_TRUE(writer->write(picture, 0, 1));
    ASSERT_TRUE(writer->finish());
    auto demuxer = ffmpeg::Demuxer::open(name, 8192);
    ASSERT_TRUE(demuxer);
    EXPECT_EQ(demuxer->stream(AVMEDIA_TYPE_VIDEO)->codecpar->color_space,
              height == 720 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M);
    auto reader = VideoReader::open(name);
    ASSERT_TRUE(reader);
    auto frame = reader->next();
    ASSERT_TRUE(frame && *frame);
    EXPECT_LE(cv::norm((*frame)->bgr, picture, cv::NORM_INF), 3);
  }
}

}  // namespace
}  // namespace vultus
