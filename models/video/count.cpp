#include "models/video/count.hpp"

#include <fmt/format.h>

#include <limits>

#include "models/video/ffmpeg.hpp"

namespace vultus {

Result<int64_t> count_pictures(const std::string& path) {
  ffmpeg::Log log;
  VULTUS_TRY(ffmpeg::Demuxer demuxer,
             ffmpeg::Demuxer::open(path, std::numeric_limits<int16_t>::max()));
  const AVStream* video = demuxer.stream(AVMEDIA_TYPE_VIDEO);
  auto wrong = [&](const std::string& what) {
    return Error{Errc::mismatch, fmt::format("{}: {}", path, what)};
  };
  if (!video) return wrong("there is no video stream in it");
  ffmpeg::Owned<AVPacket> packet(av_packet_alloc());
  if (!packet) return Error{Errc::out_of_memory, "no memory to read " + path};
  int64_t count = 0, last = std::numeric_limits<int64_t>::min();
  int error = 0;
  while ((error = av_read_frame(demuxer.get(), packet.get())) >= 0) {
    const bool ours = packet->stream_index == video->index;
    const bool key = (packet->flags & AV_PKT_FLAG_KEY) != 0;
    const bool broken = (packet->flags & AV_PKT_FLAG_CORRUPT) != 0;
    const int64_t pts = packet->pts;
    av_packet_unref(packet.get());
    if (!ours) continue;
    if (broken) return wrong(fmt::format("picture {} is cut off", count + 1));
    if (count == 0 && !key) return wrong("the first picture cannot be decoded alone");
    if (pts <= last) return wrong(fmt::format("picture {} is not after the one before", count + 1));
    last = pts;
    ++count;
  }
  if (error != AVERROR_EOF) return wrong("cannot be read to its end: " + ffmpeg::text_of(error));
  if (video->nb_frames != count)
    return wrong(
        fmt::format("its index declares {} pictures, {} are there", video->nb_frames, count));
  return count;
}

}  // namespace vultus
