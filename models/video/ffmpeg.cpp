#include "models/video/ffmpeg.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <mutex>
#include <string_view>

namespace vultus::ffmpeg {

namespace {

// Containers that hold recordings. Everything that names other files (HLS, concat, DASH, SDP) or
// that turns text and pictures into video is left out.
constexpr const char* kContainers =
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,asf,flv,ogg,gif,mxf,dv,"
    "h264,hevc,m4v,mjpeg,ivf,nut,wav,mp3,flac";
constexpr int kBufferBytes = 1 << 16;
constexpr size_t kLogBytes = 4000;

thread_local Log* log_of_thread = nullptr;

int read_some(void* opaque, uint8_t* to, int count) {
  int fd = static_cast<OpenFile*>(opaque)->descriptor.get();
  ssize_t got;
  do
    got = ::read(fd, to, static_cast<size_t>(count));
  while (got < 0 && errno == EINTR);
  if (got < 0) return AVERROR(errno);
  return got == 0 ? AVERROR_EOF : static_cast<int>(got);
}

int64_t seek_to(void* opaque, int64_t offset, int whence) {
  auto* file = static_cast<OpenFile*>(opaque);
  if (whence == AVSEEK_SIZE) return file->size;
  off_t at = ::lseek(file->descriptor.get(), offset, whence & ~AVSEEK_FORCE);
  return at < 0 ? AVERROR(errno) : at;
}

int refuse_to_open(AVFormatContext*, AVIOContext**, const char*, int, AVDictionary**) {
  return AVERROR(EPERM);
}

// An MP4 or MOV file begins with one of these box names after the box's size.
bool looks_like_mp4(const OpenFile& file) {
  std::array<char, 8> head{};
  if (::pread(file.descriptor.get(), head.data(), head.size(), 0) != 8) return false;
  std::string_view box(head.data() + 4, 4);
  constexpr std::array<std::string_view, 6> known{"ftyp", "moov", "mdat", "free", "skip", "wide"};
  return std::find(known.begin(), known.end(), box) != known.end();
}

Error cannot_open(const std::string& path, const OpenFile& file, const Log& log, int error) {
  std::string reason;
  if (looks_like_mp4(file) && log.text().find("moov atom not found") != std::string::npos)
    reason = "no moov index: the recording was cut off";
  else if (error == AVERROR_INVALIDDATA || error == AVERROR(EINVAL) || error == AVERROR_EOF)
    reason = "not a video";
  else
    reason = "cannot be read as a video: " + text_of(error);
  return {Errc::bad_input, path + ": " + reason};
}

}  // namespace

std::string text_of(int error) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
  av_strerror(error, text.data(), text.size());
  return text.data();
}

Log::Log() : outer_(log_of_thread) {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(&Log::receive); });
  log_of_thread = this;
}

Log::~Log() {
  log_of_thread = outer_;
}

void Log::receive(void*, int level, const char* format, va_list arguments) {
  Log* log = log_of_thread;
  if (log == nullptr || level > AV_LOG_ERROR || log->text_.size() > kLogBytes) return;
  std::array<char, 512> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  log->text_ += line.data();
}

Result<Demuxer> Demuxer::open(const std::string& path, int max_side_px) {
  Log log;
  VULTUS_TRY(OpenFile opened, open_regular(path));
  if (opened.size == 0) return Error{Errc::bad_input, path + ": empty file"};
  Demuxer demuxer;
  demuxer.file_ = std::make_unique<OpenFile>(std::move(opened));

  auto* buffer = static_cast<uint8_t*>(av_malloc(kBufferBytes));
  if (buffer == nullptr) return Error{Errc::out_of_memory, path + ": no memory to read it"};
  demuxer.io_.reset(avio_alloc_context(buffer, kBufferBytes, 0, demuxer.file_.get(), &read_some,
                                       nullptr, &seek_to));
  AVFormatContext* context = avformat_alloc_context();
  if (!demuxer.io_ || context == nullptr) {
    avformat_free_context(context);
    return Error{Errc::out_of_memory, path + ": no memory to read it"};
  }
  context->pb = demuxer.io_.get();
  context->io_open = &refuse_to_open;
  context->format_whitelist = av_strdup(kContainers);
  context->protocol_whitelist = av_strdup("file");
  // Without a name libav judges by the bytes alone, and has nothing to resolve references against.
  if (int error = avformat_open_input(&context, nullptr, nullptr, nullptr); error < 0)
    return cannot_open(path, *demuxer.file_, log, error);
  demuxer.context_.reset(context);

  std::vector<AVDictionary*> options(context->nb_streams, nullptr);
  int64_t max_pixels = int64_t{max_side_px} * max_side_px;
  for (AVDictionary*& option : options)
    av_dict_set_int(&option, "max_pixels", max_pixels, 0);
  int error = avformat_find_stream_info(context, options.empty() ? nullptr : options.data());
  for (AVDictionary*& option : options)
    av_dict_free(&option);
  if (error < 0) return cannot_open(path, *demuxer.file_, log, error);
  return demuxer;
}

AVStream* Demuxer::stream(AVMediaType type) const {
  int index = av_find_best_stream(context_.get(), type, -1, -1, nullptr, 0);
  return index < 0 ? nullptr : context_->streams[index];
}

}  // namespace vultus::ffmpeg
