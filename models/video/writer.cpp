#include "models/video/writer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <map>
#include <optional>
#include <string_view>

#include "models/video/convert.hpp"
#include "models/video/ffmpeg.hpp"

namespace vultus {

namespace {

using ffmpeg::Owned;

constexpr int kMaxSide = 16384;  // of H.264 level 6.2
constexpr int kBufferBytes = 1 << 16;
// x264 itself would complain of another name on standard error.
constexpr std::array<std::string_view, 10> kPresets{"ultrafast", "superfast", "veryfast", "faster",
                                                    "fast",      "medium",    "slow",     "slower",
                                                    "veryslow",  "placebo"};
constexpr int kHdLines = 720;  // from here on colours are BT.709

struct FreeOutput {
  void operator()(AVFormatContext* p) const { avformat_free_context(p); }
};

/// Where the muxer's bytes go; keeps the first system error, which libav would flatten to EIO.
struct Sink {
  PartialFile file;
  int error = 0;

  static int write(void* opaque, uint8_t* bytes, int count) {
    auto* sink = static_cast<Sink*>(opaque);
    if (write_all(sink->file.descriptor(), bytes, static_cast<size_t>(count))) return count;
    if (sink->error == 0) sink->error = errno;
    return AVERROR(sink->error);
  }
  static int64_t seek(void* opaque, int64_t offset, int whence) {
    auto* sink = static_cast<Sink*>(opaque);
    if ((whence & AVSEEK_SIZE) != 0) return AVERROR(ENOSYS);
    off_t at = ::lseek(sink->file.descriptor(), offset, whence & ~AVSEEK_FORCE);
    return at < 0 ? AVERROR(errno) : at;
  }
};

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
  return {};
}

/// Audio packets of another file, in order, one ahead.
struct AudioCopy {
  ffmpeg::Demuxer demuxer;
  AVStream* source = nullptr;
  AVStream* target = nullptr;
  Owned<AVPacket> packet;
  bool loaded = false;
  bool ended = false;

  /// Puts the next packet in `packet`; false at the end.
  bool load() {
    while (!loaded && !ended) {
      if (av_read_frame(demuxer.get(), packet.get()) < 0)
        ended = true;
      else if (packet->stream_index == source->index && packet->dts != AV_NOPTS_VALUE)
        loaded = true;
      else
        av_packet_unref(packet.get());
    }
    return loaded;
  }
};

}  // namespace

WriterOptions WriterOptions::like(const VideoInfo& source, bool with_audio) {
  WriterOptions options;
  options.size = source.size;
  options.time_base = source.time_base;
  options.frame_rate = source.frame_rate;
  if (with_audio && source.has_audio) options.audio_from = source.path;
  return options;
}

struct VideoWriter::State {
  State(PartialFile file, WriterOptions o) : options(std::move(o)), sink{std::move(file)} {}

  Result<void> open_output();
  Result<void> open_encoder();
  Result<void> open_audio();
  Result<void> write_header();
  Result<void> encode(const AVFrame* picture);
  Result<void> put_video(AVPacket& packet);
  Result<void> put_audio_until(int64_t video_end);
  Error failure(const std::string& what, int error) const;
  Error no_memory() const { return {Errc::out_of_memory, "no memory to write " + path()}; }
  const std::string& path() const { return sink.file.path(); }

  WriterOptions options;
  Sink sink;
  Owned<AVIOContext> io;
  std::unique_ptr<AVFormatContext, FreeOutput> output;
  Owned<AVCodecContext> encoder;
  Owned<AVFrame> picture;
  Owned<AVPacket> packet{av_packet_alloc()};
  AVStream* video = nullptr;
  std::unique_ptr<AudioCopy> audio;
  ffmpeg::FromBgr from_bgr;
  WriteSummary summary;
  std::map<int64_t, int64_t> durations;  // by time stamp, of pictures inside the encoder
  std::optional<int64_t> last_pts;
  int64_t last_duration = 0;
};

Error VideoWriter::State::failure(const std::string& what, int error) const {
  if (sink.error != 0) return unwritable(path(), sink.error);
  return {Errc::unwritable,
          fmt::format("cannot write {}: {}: {}", path(), what, ffmpeg::text_of(error))};
}

Result<void> VideoWriter::State::open_output() {
  AVFormatContext* context = nullptr;
  // The muxer reads its own file again when the index goes to the front, hence a true URL.
  std::string url = "file:" + sink.file.partial_path();
  if (avformat_alloc_output_context2(&context, nullptr, "mp4", url.c_str()) < 0) return no_memory();
  output.reset(context);
  auto* buffer = static_cast<uint8_t*>(av_malloc(kBufferBytes));
  if (buffer == nullptr) return no_memory();
  io.reset(avio_alloc_context(buffer, kBufferBytes, 1, &sink, nullptr, &Sink::write, &Sink::seek));
  if (!io) {
    av_free(buffer);
    return no_memory();
  }
  context->pb = io.get();
  context->flags |= AVFMT_FLAG_CUSTOM_IO;
  return {};
}

Result<void> VideoWriter::State::open_encoder() {
  const AVCodec* codec = avcodec_find_encoder_by_name("libx264");
  if (codec == nullptr)
    return Error{Errc::unwritable,
                 "cannot write " + path() + ": this FFmpeg has no libx264, install one that has"};
  encoder.reset(avcodec_alloc_context3(codec));
  if (!encoder) return no_memory();
  AVCodecContext& e = *encoder;
  e.width = options.size.width + options.size.width % 2;
  e.height = options.size.height + options.size.height % 2;
  e.pix_fmt = AV_PIX_FMT_YUV420P;
  e.time_base = {1, static_cast<int>(options.time_base.den)};
  if (options.frame_rate.num != 0) e.framerate = av(options.frame_rate);
  bool hd = options.size.height >= kHdLines;
  e.color_range = AVCOL_RANGE_MPEG;
  e.colorspace = hd ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
  e.color_primaries = hd ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
  e.color_trc = hd ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
  e.thread_count = options.threads;
  // With B pictures MP4 derives the duration from decoding times, which differ at variable rates.
  e.max_b_frames = 0;
  e.flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
  av_opt_set(e.priv_data, "preset", options.preset.c_str(), 0);
  av_opt_set_double(e.priv_data, "crf", options.crf, 0);
  if (int error = avcodec_open2(&e, codec, nullptr); error < 0)
    return failure("libx264 refuses", error);

  video = avformat_new_stream(output.get(), nullptr);
  if (video == nullptr || avcodec_parameters_from_context(video->codecpar, &e) < 0)
    return no_memory();
  video->time_base = e.time_base;
  video->avg_frame_rate = e.framerate;

  picture.reset(av_frame_alloc());
  if (!picture) return no_memory();
  picture->format = e.pix_fmt;
  picture->width = e.width;
  picture->height = e.height;
  picture->colorspace = e.colorspace;
  picture->color_range = e.color_range;
  if (av_frame_get_buffer(picture.get(), 0) < 0) return no_memory();
  return {};
}

Result<void> VideoWriter::State::open_audio() {
  if (options.audio_from.empty()) return {};
  VULTUS_TRY(ffmpeg::Demuxer demuxer,
             ffmpeg::Demuxer::open(options.audio_from, std::numeric_limits<int16_t>::max()));
  AVStream* source = demuxer.stream(AVMEDIA_TYPE_AUDIO);
  if (source == nullptr) return {};
  if (avformat_query_codec(output->oformat, source->codecpar->codec_id, FF_COMPLIANCE_NORMAL) !=
      1) {
    summary.warnings.push_back(fmt::format("the sound is left out: MP4 cannot hold {}",
                                           avcodec_get_name(source->codecpar->codec_id)));
    return {};
  }
  for (unsigned i = 0; i < demuxer.get()->nb_streams; ++i)
    if (AVStream* other = demuxer.get()->streams[i]; other != source)
      other->discard = AVDISCARD_ALL;
  AVStream* target = avformat_new_stream(output.get(), nullptr);
  if (target == nullptr || avcodec_parameters_copy(target->codecpar, source->codecpar) < 0)
    return no_memory();
  target->codecpar->codec_tag = 0;  // the source container's tag means nothing in MP4
  target->time_base = source->time_base;
  audio = std::make_unique<AudioCopy>(AudioCopy{.demuxer = std::move(demuxer),
                                                .source = source,
                                                .target = target,
                                                .packet = Owned<AVPacket>(av_packet_alloc())});
  if (!audio->packet) return no_memory();
  return {};
}

Result<void> VideoWriter::State::write_header() {
  // Both clocks as fine as the source's, or starts and durations would be rounded to milliseconds.
  AVDictionary* dictionary = nullptr;
  av_dict_set_int(&dictionary, "video_track_timescale", options.time_base.den, 0);
  av_dict_set_int(&dictionary, "movie_timescale", options.time_base.den, 0);
  if (options.index_first) av_dict_set(&dictionary, "movflags", "faststart", 0);
  int error = avformat_write_header(output.get(), &dictionary);
  av_dict_free(&dictionary);
  if (error < 0 || sink.error != 0) return failure("the MP4 header", error);
  return {};
}

Result<VideoWriter> VideoWriter::create(const std::string& path, const WriterOptions& options) {
  ffmpeg::Log log;
  VULTUS_CHECK(check(path, options));
  VULTUS_TRY(PartialFile file, PartialFile::create(path));
  auto state = std::make_unique<State>(std::move(file), options);
  if (!state->packet) return state->no_memory();
  VULTUS_CHECK(state->open_output());
  VULTUS_CHECK(state->open_encoder());
  VULTUS_CHECK(state->open_audio());
  VULTUS_CHECK(state->write_header());
  return VideoWriter(std::move(state));
}

VideoWriter::VideoWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoWriter::VideoWriter(VideoWriter&&) noexcept = default;
VideoWriter& VideoWriter::operator=(VideoWriter&&) noexcept = default;
VideoWriter::~VideoWriter() = default;

Result<void> VideoWriter::State::put_video(AVPacket& p) {
  auto known = durations.find(p.pts);
  if (known != durations.end()) {
    p.duration = known->second;
    durations.erase(known);
  }
  int64_t end = p.dts + p.duration;
  av_packet_rescale_ts(&p, encoder->time_base, video->time_base);
  p.stream_index = video->index;
  int error = av_interleaved_write_frame(output.get(), &p);
  if (error < 0 || sink.error != 0) return failure("a picture", error);
  return put_audio_until(end);
}

Result<void> VideoWriter::State::put_audio_until(int64_t video_end) {
  while (audio && audio->load()) {
    AVPacket& p = *audio->packet;
    if (av_compare_ts(p.dts, audio->source->time_base, video_end, encoder->time_base) >= 0) break;
    audio->loaded = false;
    av_packet_rescale_ts(&p, audio->source->time_base, audio->target->time_base);
    p.stream_index = audio->target->index;
    p.pos = -1;
    int error = av_interleaved_write_frame(output.get(), &p);
    if (sink.error != 0) return failure("sound", error);
    if (error < 0) {
      summary.warnings.push_back("the sound ends early: " + ffmpeg::text_of(error));
      audio->ended = true;
      break;
    }
    ++summary.audio_packets;
  }
  return {};
}

Result<void> VideoWriter::State::encode(const AVFrame* frame) {
  int error = avcodec_send_frame(encoder.get(), frame);
  while (error >= 0) {
    error = avcodec_receive_packet(encoder.get(), packet.get());
    if (error >= 0) VULTUS_CHECK(put_video(*packet));
  }
  if (error == AVERROR(EAGAIN) || error == AVERROR_EOF) return {};
  return failure("encoding", error);
}

Result<void> VideoWriter::write(const cv::Mat& bgr, int64_t pts, int64_t duration) {
  ffmpeg::Log log;
  State& s = *state_;
  if (bgr.type() != CV_8UC3 || bgr.size() != s.options.size)
    return Error{Errc::usage,
                 fmt::format("cannot write a picture of {}x{} to {}, which is {}x{}", bgr.cols,
                             bgr.rows, s.path(), s.options.size.width, s.options.size.height)};
  // One unit of the track is 1/den seconds whatever the numerator of the time base.
  constexpr int64_t kMost = int64_t{1} << 62;
  int64_t num = s.options.time_base.num;
  if (std::abs(pts) > kMost / num || std::abs(duration) > kMost / num)
    return Error{Errc::usage, "a time stamp for " + s.path() + " is out of range"};
  pts *= num;
  duration = std::max<int64_t>(0, duration * num);
  if (s.last_pts && pts <= *s.last_pts)
    return Error{Errc::usage, "time stamps written to " + s.path() + " must increase"};
  // The gap to this picture is the true duration of the one before.
  if (s.last_pts) s.durations[*s.last_pts] = s.last_duration = pts - *s.last_pts;
  if (duration == 0) duration = s.last_duration;
  if (duration == 0 && s.options.frame_rate.num != 0)
    duration = av_rescale_q(1, av_inv_q(av(s.options.frame_rate)), s.encoder->time_base);
  s.durations[pts] = s.last_duration = duration;
  s.last_pts = pts;
  if (av_frame_make_writable(s.picture.get()) < 0) return s.no_memory();
  VULTUS_CHECK(s.from_bgr(bgr, *s.picture));
  s.picture->pts = pts;
  VULTUS_CHECK(s.encode(s.picture.get()));
  ++s.summary.frames;
  return {};
}

Result<WriteSummary> VideoWriter::finish() {
  ffmpeg::Log log;
  State& s = *state_;
  VULTUS_CHECK(s.encode(nullptr));
  if (s.last_pts) VULTUS_CHECK(s.put_audio_until(*s.last_pts + s.last_duration));
  int error = av_write_trailer(s.output.get());
  avio_flush(s.io.get());
  if (error < 0 || s.sink.error != 0) return s.failure("the MP4 index", error);
  VULTUS_CHECK(s.sink.file.commit());
  return std::move(s.summary);
}

}  // namespace vultus
