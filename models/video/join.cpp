#include "models/video/join.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>

#include "models/video/ffmpeg.hpp"
#include "models/video/packets.hpp"

namespace vultus {

namespace {

using ffmpeg::Owned;

constexpr int kBufferBytes = 1 << 16;

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

class Muxer {
 public:
  Muxer(PartialFile file, const JoinOptions& options) : options_(options), sink_{std::move(file)} {}

  Result<void> open(const PacketTrack& track);
  /// `packet` becomes its own.
  Result<void> put(AVPacket& packet);
  Result<WriteSummary> finish();
  Error no_memory() const { return {Errc::out_of_memory, "no memory to write " + path()}; }

 private:
  Result<void> open_output();
  Result<void> open_video(const PacketTrack& track);
  Result<void> open_audio();
  Result<void> write_header(int ticks);
  Result<void> put_audio_until(int64_t video_end);
  Error failure(const std::string& what, int error) const;
  const std::string& path() const { return sink_.file.path(); }

  JoinOptions options_;
  Sink sink_;
  Owned<AVIOContext> io_;
  std::unique_ptr<AVFormatContext, FreeOutput> output_;
  AVStream* video_ = nullptr;
  AVRational clock_{0, 1};  ///< of the packets; the muxer may choose another for its track
  std::unique_ptr<AudioCopy> audio_;
  WriteSummary summary_;
};

Error Muxer::failure(const std::string& what, int error) const {
  if (sink_.error != 0) return unwritable(path(), sink_.error);
  return {Errc::unwritable,
          fmt::format("cannot write {}: {}: {}", path(), what, ffmpeg::text_of(error))};
}

Result<void> Muxer::open_output() {
  AVFormatContext* context = nullptr;
  // The muxer reads its own file again when the index goes to the front, hence a true URL.
  std::string url = "file:" + sink_.file.partial_path();
  if (avformat_alloc_output_context2(&context, nullptr, "mp4", url.c_str()) < 0) return no_memory();
  output_.reset(context);
  auto* buffer = static_cast<uint8_t*>(av_malloc(kBufferBytes));
  if (buffer == nullptr) return no_memory();
  io_.reset(
      avio_alloc_context(buffer, kBufferBytes, 1, &sink_, nullptr, &Sink::write, &Sink::seek));
  if (!io_) {
    av_free(buffer);
    return no_memory();
  }
  context->pb = io_.get();
  context->flags |= AVFMT_FLAG_CUSTOM_IO;
  return {};
}

Result<void> Muxer::open_video(const PacketTrack& track) {
  video_ = avformat_new_stream(output_.get(), nullptr);
  if (video_ == nullptr) return no_memory();
  AVCodecParameters& p = *video_->codecpar;
  p.codec_type = AVMEDIA_TYPE_VIDEO;
  p.codec_id = AV_CODEC_ID_H264;
  p.format = AV_PIX_FMT_YUV420P;
  p.width = track.size.width;
  p.height = track.size.height;
  p.profile = track.profile;
  p.level = track.level;
  p.color_range = static_cast<AVColorRange>(track.range);
  p.color_primaries = static_cast<AVColorPrimaries>(track.primaries);
  p.color_trc = static_cast<AVColorTransferCharacteristic>(track.transfer);
  p.color_space = static_cast<AVColorSpace>(track.matrix);
  const size_t size = track.parameters.size();
  p.extradata = static_cast<uint8_t*>(av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE));
  if (p.extradata == nullptr) return no_memory();
  std::memcpy(p.extradata, track.parameters.data(), size);
  p.extradata_size = static_cast<int>(size);
  clock_ = video_->time_base = {1, track.ticks};
  video_->avg_frame_rate = {static_cast<int>(track.frame_rate.num),
                            static_cast<int>(track.frame_rate.den)};
  return {};
}

Result<void> Muxer::open_audio() {
  if (options_.audio_from.empty()) return {};
  VULTUS_TRY(ffmpeg::Demuxer demuxer,
             ffmpeg::Demuxer::open(options_.audio_from, std::numeric_limits<int16_t>::max()));
  AVStream* source = demuxer.stream(AVMEDIA_TYPE_AUDIO);
  if (source == nullptr) return {};
  if (avformat_query_codec(output_->oformat, source->codecpar->codec_id, FF_COMPLIANCE_NORMAL) !=
      1) {
    summary_.warnings.push_back(fmt::format("the sound is left out: MP4 cannot hold {}",
                                            avcodec_get_name(source->codecpar->codec_id)));
    return {};
  }
  for (unsigned i = 0; i < demuxer.get()->nb_streams; ++i)
    if (AVStream* other = demuxer.get()->streams[i]; other != source)
      other->discard = AVDISCARD_ALL;
  AVStream* target = avformat_new_stream(output_.get(), nullptr);
  if (target == nullptr || avcodec_parameters_copy(target->codecpar, source->codecpar) < 0)
    return no_memory();
  target->codecpar->codec_tag = 0;  // the source container's tag means nothing in MP4
  target->time_base = source->time_base;
  audio_ = std::make_unique<AudioCopy>(AudioCopy{.demuxer = std::move(demuxer),
                                                 .source = source,
                                                 .target = target,
                                                 .packet = Owned<AVPacket>(av_packet_alloc())});
  if (!audio_->packet) return no_memory();
  return {};
}

Result<void> Muxer::write_header(int ticks) {
  // Both clocks as fine as the source's, or starts and durations would be rounded to milliseconds.
  AVDictionary* dictionary = nullptr;
  av_dict_set_int(&dictionary, "video_track_timescale", ticks, 0);
  av_dict_set_int(&dictionary, "movie_timescale", ticks, 0);
  if (options_.index_first) av_dict_set(&dictionary, "movflags", "faststart", 0);
  int error = avformat_write_header(output_.get(), &dictionary);
  av_dict_free(&dictionary);
  if (error < 0 || sink_.error != 0) return failure("the MP4 header", error);
  return {};
}

Result<void> Muxer::open(const PacketTrack& track) {
  VULTUS_CHECK(open_output());
  VULTUS_CHECK(open_video(track));
  VULTUS_CHECK(open_audio());
  return write_header(track.ticks);
}

Result<void> Muxer::put(AVPacket& packet) {
  const int64_t end = packet.dts + packet.duration;
  av_packet_rescale_ts(&packet, clock_, video_->time_base);
  packet.stream_index = video_->index;
  int error = av_interleaved_write_frame(output_.get(), &packet);
  if (error < 0 || sink_.error != 0) return failure("a picture", error);
  ++summary_.frames;
  return put_audio_until(end);
}

Result<void> Muxer::put_audio_until(int64_t video_end) {
  while (audio_ && audio_->load()) {
    AVPacket& p = *audio_->packet;
    if (av_compare_ts(p.dts, audio_->source->time_base, video_end, clock_) >= 0) break;
    audio_->loaded = false;
    av_packet_rescale_ts(&p, audio_->source->time_base, audio_->target->time_base);
    p.stream_index = audio_->target->index;
    p.pos = -1;
    int error = av_interleaved_write_frame(output_.get(), &p);
    if (sink_.error != 0) return failure("sound", error);
    if (error < 0) {
      summary_.warnings.push_back("the sound ends early: " + ffmpeg::text_of(error));
      audio_->ended = true;
      break;
    }
    ++summary_.audio_packets;
  }
  return {};
}

Result<WriteSummary> Muxer::finish() {
  int error = av_write_trailer(output_.get());
  avio_flush(io_.get());
  if (error < 0 || sink_.error != 0) return failure("the MP4 index", error);
  VULTUS_CHECK(sink_.file.commit());
  return std::move(summary_);
}

}  // namespace

Result<WriteSummary> join_mp4(const std::string& packets, const std::string& path,
                              const JoinOptions& options) {
  ffmpeg::Log log;
  VULTUS_TRY(PacketReader reader, PacketReader::open(packets));
  VULTUS_TRY(PartialFile file, PartialFile::create(path));
  Muxer muxer(std::move(file), options);
  VULTUS_CHECK(muxer.open(reader.track()));
  // One picture is held back: the gap to the next is its true duration.
  Owned<AVPacket> held;
  while (true) {
    VULTUS_TRY(std::optional<PacketView> next, reader.next());
    if (held) {
      if (next) held->duration = next->pts - held->pts;
      VULTUS_CHECK(muxer.put(*held));
    }
    if (!next) return muxer.finish();
    held.reset(av_packet_alloc());
    if (!held || av_new_packet(held.get(), static_cast<int>(next->bytes.size())) < 0)
      return muxer.no_memory();
    std::memcpy(held->data, next->bytes.data(), next->bytes.size());
    held->pts = held->dts = next->pts;
    held->duration = next->duration;
    if (next->key) held->flags |= AV_PKT_FLAG_KEY;
  }
}

}  // namespace vultus
