#pragma once

// Inside models/video only: FFmpeg's C objects as owned values.

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <cstdarg>
#include <memory>
#include <string>

#include "host/core/result.hpp"
#include "models/file/file.hpp"
#include "models/video/stream.hpp"

namespace vultus::ffmpeg {

struct Release {
  void operator()(AVCodecContext* p) const { avcodec_free_context(&p); }
  void operator()(AVPacket* p) const { av_packet_free(&p); }
  void operator()(AVFrame* p) const { av_frame_free(&p); }
  void operator()(SwsContext* p) const { sws_freeContext(p); }
  void operator()(AVIOContext* p) const {
    av_freep(static_cast<void*>(&p->buffer));
    avio_context_free(&p);
  }
};
template <class T>
using Owned = std::unique_ptr<T, Release>;

/// What libav says of an error code.
std::string text_of(int error);
inline Rational rational(AVRational r) {
  return r.den == 0 ? Rational{} : Rational{r.num, r.den};
}

/// Keeps the error lines that libav logs on this thread while it lives. From the first one on,
/// nothing in the process is printed by libav.
class Log {
 public:
  Log();
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  const std::string& text() const { return text_; }

 private:
  static void receive(void* source, int level, const char* format, va_list arguments);
  std::string text_;
  Log* outer_;
};

/// An open container over our own file descriptor. libav never opens a path by itself: what a
/// playlist or a data reference names stays closed.
class Demuxer {
 public:
  /// bad_input with the reason.
  static Result<Demuxer> open(const std::string& path, int max_side_px);
  AVFormatContext* get() const { return context_.get(); }
  /// The stream that libav thinks best of its kind, or null.
  AVStream* stream(AVMediaType type) const;

 private:
  struct Close {
    void operator()(AVFormatContext* p) const { avformat_close_input(&p); }
  };
  Demuxer() = default;
  std::unique_ptr<OpenFile> file_;  // the context uses `io_`, which uses `file_`
  Owned<AVIOContext> io_;
  std::unique_ptr<AVFormatContext, Close> context_;
};

}  // namespace vultus::ffmpeg
