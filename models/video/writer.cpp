#include "models/video/writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string_view>

#include "models/video/convert.hpp"
#include "models/video/ffmpeg.hpp"
#include "models/video/packets.hpp"

namespace vultus {

namespace {

using ffmpeg::Owned;

constexpr int kMaxSide = 16384;  // of H.264 level 6.2
// x264 itself would complain of another name on standard error.
constexpr std::array<std::string_view, 10> kPresets{"ultrafast", "superfast", "veryfast", "faster",
                                                    "fast",      "medium",    "slow",     "slower",
                                                    "veryslow",  "placebo"};
constexpr int kHdLines = 720;  // from here on colours are BT.709
constexpr AVPixelFormat kFormat = AV_PIX_FMT_YUV420P;

int even(int side) {
  return side + side % 2;
}
bool is_hd(cv::Size size) {
  return size.height >= kHdLines;
}
AVColorSpace matrix_of(cv::Size size) {
  return is_hd(size) ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
}

AVRational av(Rational r) {
  return {static_cast<int>(r.num), static_cast<int>(r.den)};
}

bool fits_int(Rational r) {
  constexpr int64_t most = std::numeric_limits<int>::max();
  return r.num > 0 && r.den > 0 && r.num <= most && r.den <= most;
}

Result<void> check(const std::string& path, const WriterOptions& o) {
  auto bad = [&](const std::string& reason) {
    return Error{Errc::bad_input, "cannot write " + path + ": " + reason};
  };
  if (o.size.width < 1 || o.size.height < 1 || std::max(o.size.width, o.size.height) > kMaxSide)
    return bad(fmt::format("{}x{} is no size for H.264", o.size.width, o.size.height));
  if (!fits_int(o.time_base))
    return bad(fmt::format("time base {}/{} is impossible", o.time_base.num, o.time_base.den));
  if (o.frame_rate.num != 0 && !fits_int(o.frame_rate))
    return bad(fmt::format("frame rate {}/{} is impossible", o.frame_rate.num, o.frame_rate.den));
  if (o.crf < 0 || o.crf > 51) return bad(fmt::format("crf {} is not within 0..51", o.crf));
  if (std::find(kPresets.begin(), kPresets.end(), o.preset) == kPresets.end())
    return bad("x264 has no preset " + o.preset);
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored))
    return unwritable(path, EISDIR);
  return {};
}

/// x264's macroblock tree in AVX-512 reads memory that nobody wrote: the same pictures give other
/// bytes now and then (DECISIONS.md). Without it they do not, and as fast. A short lookahead holds
/// fewer pictures; B-frames take a third of the encoder's time.
const char* x264_parameters() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f"))
    return "bframes=0:rc-lookahead=1:sync-lookahead=0:asm=AVX2,FMA3,BMI2,LZCNT";
#endif
  return "bframes=0:rc-lookahead=1:sync-lookahead=0";
}

PacketTrack track_of(const AVCodecContext& e, Rational frame_rate) {
  PacketTrack track;
  track.size = {e.width, e.height};
  track.ticks = e.time_base.den;
  track.frame_rate = frame_rate;
  track.range = e.color_range;
  track.primaries = e.color_primaries;
  track.transfer = e.color_trc;
  track.matrix = e.colorspace;
  track.profile = e.profile;
  track.level = e.level;
  const auto* extra = reinterpret_cast<const std::byte*>(e.extradata);
  track.parameters.assign(extra, extra + e.extradata_size);
  return track;
}

}  // namespace

struct CodablePicture::State {
  Owned<AVFrame> frame;
};
CodablePicture::CodablePicture() noexcept = default;
CodablePicture::CodablePicture(CodablePicture&&) noexcept = default;
CodablePicture& CodablePicture::operator=(CodablePicture&&) noexcept = default;
CodablePicture::~CodablePicture() = default;

WriterOptions WriterOptions::like(const VideoInfo& source, bool with_audio) {
  WriterOptions options;
  options.size = source.size;
  options.time_base = source.time_base;
  options.frame_rate = source.frame_rate;
  if (with_audio && source.has_audio) options.file.audio_from = source.path;
  return options;
}

struct VideoWriter::State {
  State(std::string p, WriterOptions o) : path(std::move(p)), options(std::move(o)) {}
  ~State() {
    if (packets && !keep) ::unlink(packets_of(path).c_str());
  }

  Result<void> open_encoder();
  Result<void> encode(const AVFrame* picture);
  Result<void> put(const AVPacket& packet);
  /// Reads the packets of a checkpoint: that they are whole, how many, and where they end.
  Result<void> read_back(int64_t length);
  Result<void> flush();
  Error failure(const std::string& what, int error) const {
    return {Errc::unwritable,
            fmt::format("cannot write {}: {}: {}", path, what, ffmpeg::text_of(error))};
  }
  Error no_memory() const { return {Errc::out_of_memory, "no memory to write " + path}; }

  std::string path;
  WriterOptions options;
  std::optional<PacketWriter> packets;
  bool keep = false;              // the packets outlive this writer
  Owned<AVCodecContext> encoder;  // none between a checkpoint and the next picture
  PacketTrack track;
  Owned<AVPacket> packet{av_packet_alloc()};
  ffmpeg::FromBgr from_bgr;  // of `convert` alone
  int64_t frames = 0;
  std::map<int64_t, int64_t> durations;  // by time stamp, of pictures inside the encoder
  std::optional<int64_t> last_pts;
};

Result<void> VideoWriter::State::open_encoder() {
  const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
  if (codec == nullptr)
    return Error{Errc::unwritable,
                 "cannot write " + path + ": this FFmpeg has no libx264, install one that has"};
  encoder.reset(avcodec_alloc_context3(codec));
  if (!encoder) return no_memory();
  AVCodecContext& e = *encoder;
  e.width = even(options.size.width);
  e.height = even(options.size.height);
  e.pix_fmt = kFormat;
  e.time_base = {1, static_cast<int>(options.time_base.den)};
  if (options.frame_rate.num != 0) e.framerate = av(options.frame_rate);
  const bool hd = is_hd(options.size);
  e.color_range = AVCOL_RANGE_MPEG;
  e.colorspace = matrix_of(options.size);
  e.color_primaries = hd ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
  e.color_trc = hd ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
  e.thread_count = options.threads;
  // No B pictures: each is decoded when it is shown, so pieces are joined by their time stamps
  // alone, and MP4 derives the duration from decoding times.
  e.max_b_frames = 0;
  e.flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  av_opt_set(e.priv_data, "preset", options.preset.c_str(), 0);
  av_opt_set_double(e.priv_data, "crf", options.crf, 0);
  av_opt_set(e.priv_data, "x264-params", x264_parameters(), 0);
  if (int error = avcodec_open2(&e, codec, nullptr); error < 0)
    return failure("libx264 refuses", error);
  PacketTrack opened = track_of(e, options.frame_rate);
  if (!track.parameters.empty() && opened != track)
    return Error{Errc::mismatch, path + ": this x264 codes otherwise than the one that began"};
  track = std::move(opened);
  return {};
}

Result<void> VideoWriter::State::read_back(int64_t length) {
  VULTUS_TRY(PacketReader reader, PacketReader::open(packets_of(path), length));
  track = reader.track();
  while (true) {
    VULTUS_TRY(std::optional<PacketView> packet_view, reader.next());
    if (!packet_view) return {};
    ++frames;
    last_pts = packet_view->pts;
  }
}

Result<VideoWriter> VideoWriter::create(const std::string& path, const WriterOptions& options) {
  ffmpeg::Log log;
  VULTUS_CHECK(check(path, options));
  auto state = std::make_unique<State>(path, options);
  VULTUS_CHECK(state->open_encoder());
  VULTUS_TRY(state->packets, PacketWriter::create(packets_of(path), state->track, path));
  return VideoWriter(std::move(state));
}

Result<VideoWriter> VideoWriter::resume(const std::string& path, const WriterOptions& options,
                                        int64_t length) {
  ffmpeg::Log log;
  VULTUS_CHECK(check(path, options));
  auto state = std::make_unique<State>(path, options);
  VULTUS_CHECK(state->read_back(length));
  VULTUS_CHECK(state->open_encoder());
  VULTUS_TRY(state->packets, PacketWriter::reopen(packets_of(path), length, path));
  state->keep = true;
  return VideoWriter(std::move(state));
}

VideoWriter::VideoWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoWriter::VideoWriter(VideoWriter&&) noexcept = default;
VideoWriter& VideoWriter::operator=(VideoWriter&&) noexcept = default;
VideoWriter::~VideoWriter() = default;

int64_t VideoWriter::frames() const {
  return state_->frames;
}

Result<void> VideoWriter::State::put(const AVPacket& p) {
  PacketView view{p.pts, p.duration, (p.flags & AV_PKT_FLAG_KEY) != 0,
                  std::as_bytes(std::span(p.data, static_cast<size_t>(p.size)))};
  if (auto known = durations.find(p.pts); known != durations.end()) {
    view.duration = known->second;
    durations.erase(known);
  }
  return packets->append(view);
}

Result<void> VideoWriter::State::encode(const AVFrame* frame) {
  int error = avcodec_send_frame(encoder.get(), frame);
  while (error >= 0) {
    error = avcodec_receive_packet(encoder.get(), packet.get());
    if (error >= 0) VULTUS_CHECK(put(*packet));
  }
  if (error == AVERROR(EAGAIN) || error == AVERROR_EOF) return {};
  return failure("encoding", error);
}

Result<CodablePicture> VideoWriter::convert(const cv::Mat& bgr) {
  ffmpeg::Log log;
  State& s = *state_;
  const cv::Size size = s.options.size;
  if (bgr.type() != CV_8UC3 || bgr.size() != size)
    return Error{Errc::usage, fmt::format("cannot write a picture of {}x{} to {}, which is {}x{}",
                                          bgr.cols, bgr.rows, s.path, size.width, size.height)};
  CodablePicture picture;
  picture.state_ = std::make_unique<CodablePicture::State>();
  Owned<AVFrame>& frame = picture.state_->frame;
  frame.reset(av_frame_alloc());
  if (!frame) return s.no_memory();
  frame->format = kFormat;
  frame->width = even(size.width);
  frame->height = even(size.height);
  frame->colorspace = matrix_of(size);
  frame->color_range = AVCOL_RANGE_MPEG;
  if (av_frame_get_buffer(frame.get(), 0) < 0) return s.no_memory();
  VULTUS_CHECK(s.from_bgr(bgr, *frame));
  return picture;
}

Result<void> VideoWriter::write(const cv::Mat& bgr, int64_t pts, int64_t duration) {
  VULTUS_TRY(CodablePicture picture, convert(bgr));
  return write(std::move(picture), pts, duration);
}

Result<void> VideoWriter::write(CodablePicture picture, int64_t pts, int64_t duration) {
  ffmpeg::Log log;
  State& s = *state_;
  // One unit of the track is 1/den seconds whatever the numerator of the time base.
  constexpr int64_t kMost = int64_t{1} << 62;
  int64_t num = s.options.time_base.num;
  if (std::abs(pts) > kMost / num || std::abs(duration) > kMost / num)
    return Error{Errc::usage, "a time stamp for " + s.path + " is out of range"};
  pts *= num;
  duration = std::max<int64_t>(0, duration * num);
  if (s.last_pts && pts <= *s.last_pts)
    return Error{Errc::usage, "time stamps written to " + s.path + " must increase"};
  if (!s.encoder) VULTUS_CHECK(s.open_encoder());
  if (duration == 0 && s.last_pts) duration = pts - *s.last_pts;
  if (duration == 0 && s.options.frame_rate.num != 0)
    duration = av_rescale_q(1, av_inv_q(av(s.options.frame_rate)), s.encoder->time_base);
  s.durations[pts] = duration;
  s.last_pts = pts;
  AVFrame& frame = *picture.state_->frame;
  frame.pts = pts;
  VULTUS_CHECK(s.encode(&frame));
  ++s.frames;
  return {};
}

Result<void> VideoWriter::State::flush() {
  if (!encoder) return {};
  VULTUS_CHECK(encode(nullptr));
  encoder.reset();
  durations.clear();
  return {};
}

Result<int64_t> VideoWriter::checkpoint() {
  ffmpeg::Log log;
  VULTUS_CHECK(state_->flush());
  VULTUS_CHECK(state_->packets->sync());
  state_->keep = true;
  return state_->packets->length();
}

Result<WriteSummary> VideoWriter::finish() {
  ffmpeg::Log log;
  State& s = *state_;
  VULTUS_CHECK(s.flush());
  VULTUS_TRY(WriteSummary summary, join_mp4(packets_of(s.path), s.path, s.options.file));
  if (summary.frames != s.frames)
    return Error{Errc::mismatch,
                 fmt::format("{}: {} pictures of {} were coded", s.path, summary.frames, s.frames)};
  return summary;
}

}  // namespace vultus
