#include "models/video/reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <thread>

#include "models/video/convert.hpp"
#include "models/video/ffmpeg.hpp"

namespace vultus {

namespace {

using ffmpeg::Owned;

// A demuxer that only reports errors would otherwise keep us for ever.
constexpr int kMaxErrorsInARow = 1000;
// A container without a number of frames may be this much longer than its pictures: sound that goes
// on, a last picture of unknown duration.
constexpr double kSecondsAfterPictures = 1;

void note_unusual(const AVCodecParameters& codec, const AVStream& stream, VideoInfo& info) {
  AVRational shape =
      codec.sample_aspect_ratio.num != 0 ? codec.sample_aspect_ratio : stream.sample_aspect_ratio;
  if (shape.num > 0 && shape.den > 0 && shape.num != shape.den)
    info.warnings.push_back(fmt::format(
        "pixels are not square ({}:{}): shapes are measured as stored", shape.num, shape.den));
  if (codec.color_trc == AVCOL_TRC_SMPTE2084 || codec.color_trc == AVCOL_TRC_ARIB_STD_B67)
    info.warnings.push_back("HDR brightness is used as stored, without tone mapping");
}

/// AVI counts pictures that were dropped while recording, too.
int64_t declared_frames(const ffmpeg::Demuxer& demuxer, const AVStream& stream) {
  const bool avi = std::string_view(demuxer.get()->iformat->name) == "avi";
  return avi ? 0 : std::max<int64_t>(0, stream.nb_frames);
}

VideoInfo info_of(const std::string& path, const ffmpeg::Demuxer& demuxer, const AVStream& stream,
                  const AVCodec& decoder) {
  const AVCodecParameters& codec = *stream.codecpar;
  VideoInfo info;
  info.path = path;
  info.coded_size = {codec.width, codec.height};
  const auto* matrix = reinterpret_cast<const int32_t*>(
      av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr));
  if (matrix != nullptr) {
    if (auto orientation = ffmpeg::orientation_of(matrix))
      info.orientation = *orientation;
    else
      info.warnings.push_back("the rotation mark is not a quarter turn: ignored");
  }
  bool across = info.orientation.clockwise_degrees % 180 != 0;
  info.size = across ? cv::Size(codec.height, codec.width) : info.coded_size;
  info.frame_rate = ffmpeg::rational(stream.avg_frame_rate);
  info.nominal_frame_rate = ffmpeg::rational(stream.r_frame_rate);
  info.time_base = ffmpeg::rational(stream.time_base);
  info.declared_frames = declared_frames(demuxer, stream);
  if (stream.duration != AV_NOPTS_VALUE)
    info.duration_seconds = static_cast<double>(stream.duration) * info.time_base.value();
  else if (demuxer.get()->duration != AV_NOPTS_VALUE)
    info.duration_seconds = static_cast<double>(demuxer.get()->duration) / AV_TIME_BASE;
  info.codec = decoder.name;
  const char* format = av_get_pix_fmt_name(static_cast<AVPixelFormat>(codec.format));
  info.pixel_format = format == nullptr ? "" : format;
  info.full_range = codec.color_range == AVCOL_RANGE_JPEG;
  if (const AVStream* audio = demuxer.stream(AVMEDIA_TYPE_AUDIO)) {
    info.has_audio = true;
    info.audio_codec = avcodec_get_name(audio->codecpar->codec_id);
  }
  note_unusual(codec, stream, info);
  return info;
}

Result<Owned<AVCodecContext>> open_decoder(const AVStream& stream, const AVCodec& decoder,
                                           const VideoReader::Options& options) {
  Owned<AVCodecContext> context(avcodec_alloc_context3(&decoder));
  if (!context || avcodec_parameters_to_context(context.get(), stream.codecpar) < 0)
    return Error{Errc::out_of_memory, "no memory for the decoder"};
  context->pkt_timebase = stream.time_base;
  context->max_pixels = int64_t{options.max_side_px} * options.max_side_px;
  // Each thread holds pictures, and networks keep a small machine's cores busy without it.
  const int cores = static_cast<int>(std::thread::hardware_concurrency());
  context->thread_count = options.threads > 0 ? options.threads : std::clamp(cores / 4, 1, 4);
  if (int error = avcodec_open2(context.get(), &decoder, nullptr); error < 0)
    return Error{Errc::bad_input, fmt::format("the {} decoder refuses it: {}", decoder.name,
                                              ffmpeg::text_of(error))};
  return context;
}

}  // namespace

struct VideoReader::State {
  explicit State(ffmpeg::Demuxer opened) : demuxer(std::move(opened)) {}

  /// The next decoded picture in `picture`; false at the end.
  bool decode();
  /// Gives the decoder one packet, or tells it that there are no more.
  void feed();
  bool fits();
  /// The next picture as a frame, without its pixels; nothing at the end.
  std::optional<Frame> advance();
  Result<void> convert(Frame& frame);
  int64_t stamp();
  /// Whether the picture shows errors, its own or those of pictures before the last key picture.
  bool is_damaged();
  /// Notes what of the recording is not there, at the end of the file.
  void note_missing();
  void error_seen() {
    ++summary.decoder_errors;
    error_pts = std::max(error_pts.value_or(packet->pts), packet->pts);
    if (++errors_in_a_row > kMaxErrorsInARow) {
      ended = true;
      summary.warnings.push_back("reading stopped: nothing but errors");
    }
  }

  ffmpeg::Demuxer demuxer;
  Options options;
  AVStream* stream = nullptr;
  Owned<AVCodecContext> decoder;
  Owned<AVPacket> packet{av_packet_alloc()};
  Owned<AVFrame> picture{av_frame_alloc()};
  ffmpeg::ToBgr to_bgr;
  VideoInfo info;
  ReadSummary summary;
  std::optional<int64_t> error_pts;  // pictures are predicted from one that is damaged
  std::optional<int64_t> first_pts, last_pts;
  int64_t last_duration = 0;
  int errors_in_a_row = 0;
  bool drained = false;  // the demuxer has no more packets
  bool ended = false;    // there will be no more pictures
};

VideoReader::VideoReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoReader::VideoReader(VideoReader&&) noexcept = default;
VideoReader& VideoReader::operator=(VideoReader&&) noexcept = default;
VideoReader::~VideoReader() = default;

const VideoInfo& VideoReader::info() const {
  return state_->info;
}
const ReadSummary& VideoReader::summary() const {
  return state_->summary;
}

Result<VideoReader> VideoReader::open(const std::string& path, const Options& options) {
  ffmpeg::Log log;
  auto refuse = [&](const std::string& reason) {
    return Error{Errc::bad_input, path + ": " + reason};
  };
  VULTUS_TRY(ffmpeg::Demuxer demuxer, ffmpeg::Demuxer::open(path, options.max_side_px));
  auto state = std::make_unique<State>(std::move(demuxer));
  state->options = options;
  AVStream* stream = state->stream = state->demuxer.stream(AVMEDIA_TYPE_VIDEO);
  if (stream == nullptr) return refuse("there is no video stream in it");
  const AVCodecParameters& codec = *stream->codecpar;
  const AVCodec* decoder = avcodec_find_decoder(codec.codec_id);
  if (decoder == nullptr)
    return refuse(fmt::format("codec {} is not supported", avcodec_get_name(codec.codec_id)));
  if (codec.width <= 0 || codec.height <= 0)
    return refuse("no picture can be decoded: the recording is damaged or cut off");
  if (std::max(codec.width, codec.height) > options.max_side_px)
    return refuse(fmt::format("{}x{} is larger than the {} pixels a side accepted", codec.width,
                              codec.height, options.max_side_px));
  if (stream->time_base.num <= 0 || stream->time_base.den <= 0)
    return refuse("its clock is broken (time base)");
  auto opened = open_decoder(*stream, *decoder, options);
  if (!opened) return Error{opened.error().code, path + ": " + opened.error().what};
  state->decoder = std::move(opened).value();
  if (!state->packet || !state->picture)
    return Error{Errc::out_of_memory, path + ": no memory to decode it"};
  state->info = info_of(path, state->demuxer, *stream, *decoder);
  state->summary.declared_frames = state->info.declared_frames;
  for (unsigned i = 0; i < state->demuxer.get()->nb_streams; ++i)
    if (AVStream* other = state->demuxer.get()->streams[i]; other != stream)
      other->discard = AVDISCARD_ALL;
  return VideoReader(std::move(state));
}

void VideoReader::State::feed() {
  int error = av_read_frame(demuxer.get(), packet.get());
  if (error == AVERROR_EOF) {
    drained = true;
    avcodec_send_packet(decoder.get(), nullptr);
    return;
  }
  if (error < 0) {
    error_seen();
    return;
  }
  if (packet->stream_index == stream->index) {
    // Outside the edit list: a recording that was trimmed without encoding it again.
    if ((packet->flags & AV_PKT_FLAG_DISCARD) != 0) ++summary.trimmed_frames;
    if ((packet->flags & AV_PKT_FLAG_CORRUPT) != 0) error_seen();
    if (avcodec_send_packet(decoder.get(), packet.get()) < 0) error_seen();
  }
  av_packet_unref(packet.get());
}

bool VideoReader::State::decode() {
  while (!ended) {
    int error = avcodec_receive_frame(decoder.get(), picture.get());
    if (error >= 0) {
      errors_in_a_row = 0;
      return true;
    }
    if (error == AVERROR_EOF) {
      ended = true;
    } else if (error != AVERROR(EAGAIN)) {
      error_seen();
    } else if (drained) {
      ended = true;
    } else {
      feed();
    }
  }
  return false;
}

bool VideoReader::State::fits() {
  if (cv::Size(picture->width, picture->height) == info.coded_size) return true;
  ended = true;
  summary.missing.push_back(
      fmt::format("the picture changes from {}x{} to {}x{} after {} frames: reading stopped there",
                  info.coded_size.width, info.coded_size.height, picture->width, picture->height,
                  summary.decoded_frames));
  return false;
}

bool VideoReader::State::is_damaged() {
  const int64_t pts = picture->best_effort_timestamp;
  const bool own =
      picture->decode_error_flags != 0 || (picture->flags & AV_FRAME_FLAG_CORRUPT) != 0;
  if (own)
    error_pts = std::max(error_pts.value_or(pts), pts);
  else if (error_pts && picture->key_frame != 0 && (pts == AV_NOPTS_VALUE || pts > *error_pts))
    error_pts.reset();
  return error_pts.has_value();
}

void VideoReader::State::note_missing() {
  if (summary.lost_frames() > 0) {
    summary.warnings.push_back(
        fmt::format("{} of {} frames could not be read: the recording is damaged or cut off",
                    summary.lost_frames(), summary.declared_frames));
    return;
  }
  const bool known = demuxer.get()->duration_estimation_method != AVFMT_DURATION_FROM_BITRATE &&
                     info.duration_seconds > 0;
  if (summary.declared_frames > 0 || !summary.missing.empty() || !last_pts || !known) return;
  const double shown =
      static_cast<double>(*last_pts - *first_pts + last_duration) * info.time_base.value();
  if (shown + kSecondsAfterPictures < info.duration_seconds)
    summary.missing.push_back(fmt::format(
        "the file tells of {:.1f} s, its pictures end after {:.1f} s: it is damaged or cut off",
        info.duration_seconds, shown));
}

int64_t VideoReader::State::stamp() {
  int64_t pts = picture->best_effort_timestamp;
  if (last_pts && (pts == AV_NOPTS_VALUE || pts <= *last_pts)) {
    ++summary.moved_stamps;
    return *last_pts + (pts == AV_NOPTS_VALUE ? std::max<int64_t>(1, last_duration) : 1);
  }
  if (pts != AV_NOPTS_VALUE) return pts;
  ++summary.moved_stamps;
  return 0;
}

std::optional<Frame> VideoReader::State::advance() {
  const bool was_ended = ended;
  if (!decode() || !fits()) {
    if (!was_ended) note_missing();
    return std::nullopt;
  }
  Frame frame;
  frame.index = summary.decoded_frames;
  frame.pts = stamp();
  frame.duration = std::max<int64_t>(0, picture->pkt_duration);
  frame.seconds = static_cast<double>(frame.pts) * info.time_base.value();
  frame.damaged = is_damaged();
  if (!first_pts) first_pts = frame.pts;
  last_pts = frame.pts;
  last_duration = frame.duration;
  ++summary.decoded_frames;
  if (frame.damaged) ++summary.damaged_frames;
  return frame;
}

Result<void> VideoReader::State::convert(Frame& frame) {
  cv::Mat coded;
  auto converted = to_bgr(*picture, coded);
  if (!converted) return Error{converted.error().code, info.path + ": " + converted.error().what};
  frame.bgr = ffmpeg::upright(std::move(coded), info.orientation);
  return {};
}

Result<std::optional<Frame>> VideoReader::next() {
  ffmpeg::Log log;
  std::optional<Frame> frame = state_->advance();
  if (frame) VULTUS_CHECK(state_->convert(*frame));
  return frame;
}

Result<int64_t> VideoReader::skip(int64_t count) {
  ffmpeg::Log log;
  int64_t skipped = 0;
  while (skipped < count && state_->advance())
    ++skipped;
  return skipped;
}

}  // namespace vultus
