#include "models/video/still.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "models/video/convert.hpp"
#include "models/video/ffmpeg.hpp"

namespace vultus {

namespace {

using ffmpeg::Owned;

constexpr std::array<std::pair<std::string_view, AVCodecID>, 5> kCodecs{
    {{"png", AV_CODEC_ID_PNG},
     {"jpeg", AV_CODEC_ID_MJPEG},
     {"bmp", AV_CODEC_ID_BMP},
     {"tiff", AV_CODEC_ID_TIFF},
     {"webp", AV_CODEC_ID_WEBP}}};

Error damaged(int error) {
  return {Errc::bad_input, fmt::format("cannot be decoded: {}", ffmpeg::text_of(error))};
}

Error no_memory() {
  return {Errc::out_of_memory, "not enough memory for a picture"};
}

Result<Owned<AVFrame>> decoded(std::span<const std::byte> file, std::string_view format) {
  const auto* known = std::ranges::find(kCodecs, format, &decltype(kCodecs)::value_type::first);
  const AVCodec* codec = known == kCodecs.end() ? nullptr : avcodec_find_decoder(known->second);
  if (codec == nullptr)
    return Error{Errc::bad_input, fmt::format("this FFmpeg does not decode {}", format)};
  Owned<AVCodecContext> decoder(avcodec_alloc_context3(codec));
  Owned<AVPacket> packet(av_packet_alloc());
  Owned<AVFrame> frame(av_frame_alloc());
  if (!decoder || !packet || !frame ||
      av_new_packet(packet.get(), static_cast<int>(file.size())) < 0)
    return no_memory();
  std::memcpy(packet->data, file.data(), file.size());
  decoder->thread_count = 1;
  if (format == "png") decoder->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
  int error = avcodec_open2(decoder.get(), codec, nullptr);
  if (error >= 0) error = avcodec_send_packet(decoder.get(), packet.get());
  if (error >= 0) error = avcodec_send_packet(decoder.get(), nullptr);
  if (error >= 0) error = avcodec_receive_frame(decoder.get(), frame.get());
  if (error < 0) return damaged(error);
  if ((frame->flags & AV_FRAME_FLAG_CORRUPT) != 0 || frame->decode_error_flags != 0)
    return Error{Errc::bad_input, "cannot be decoded: it is damaged"};
  return frame;
}

Result<Owned<AVFrame>> frame_of(cv::Size size, AVPixelFormat format) {
  Owned<AVFrame> frame(av_frame_alloc());
  if (!frame) return no_memory();
  frame->width = size.width;
  frame->height = size.height;
  frame->format = format;
  if (av_frame_get_buffer(frame.get(), 0) < 0) return no_memory();
  return frame;
}

/// `quantiser` 0: the codec has none.
Result<std::vector<std::byte>> encoded(AVFrame& frame, AVCodecID id, int quantiser) {
  const AVCodec* codec = avcodec_find_encoder(id);
  if (codec == nullptr)
    return Error{Errc::unwritable,
                 fmt::format("this FFmpeg does not write {}", avcodec_get_name(id))};
  Owned<AVCodecContext> encoder(avcodec_alloc_context3(codec));
  Owned<AVPacket> packet(av_packet_alloc());
  if (!encoder || !packet) return no_memory();
  encoder->width = frame.width;
  encoder->height = frame.height;
  encoder->pix_fmt = static_cast<AVPixelFormat>(frame.format);
  encoder->color_range = frame.color_range;
  encoder->time_base = {1, 1};
  encoder->thread_count = 1;
  encoder->flags |= AV_CODEC_FLAG_BITEXACT;  // no version inside
  if (quantiser > 0) {
    encoder->flags |= AV_CODEC_FLAG_QSCALE;
    encoder->global_quality = frame.quality = quantiser * FF_QP2LAMBDA;
  }
  int error = avcodec_open2(encoder.get(), codec, nullptr);
  if (error >= 0) error = avcodec_send_frame(encoder.get(), &frame);
  if (error >= 0) error = avcodec_send_frame(encoder.get(), nullptr);
  if (error >= 0) error = avcodec_receive_packet(encoder.get(), packet.get());
  if (error < 0)
    return Error{Errc::unwritable,
                 fmt::format("the picture cannot be encoded: {}", ffmpeg::text_of(error))};
  const auto bytes = std::as_bytes(std::span(packet->data, static_cast<size_t>(packet->size)));
  return std::vector<std::byte>(bytes.begin(), bytes.end());
}

}  // namespace

Result<cv::Mat> decode_still(std::span<const std::byte> file, std::string_view format) {
  ffmpeg::Log log;
  VULTUS_TRY(Owned<AVFrame> frame, decoded(file, format));
  cv::Mat bgr;
  ffmpeg::ToBgr to_bgr;
  VULTUS_CHECK(to_bgr(*frame, bgr));
  const AVFrameSideData* matrix = av_frame_get_side_data(frame.get(), AV_FRAME_DATA_DISPLAYMATRIX);
  if (matrix == nullptr) return bgr;
  const auto orientation = ffmpeg::orientation_of(reinterpret_cast<const int32_t*>(matrix->data));
  return orientation ? ffmpeg::upright(bgr, *orientation) : bgr;
}

Result<std::vector<std::byte>> encode_png(const cv::Mat& picture) {
  ffmpeg::Log log;
  const bool grey = picture.channels() == 1;
  VULTUS_TRY(Owned<AVFrame> frame,
             frame_of(picture.size(), grey ? AV_PIX_FMT_GRAY8 : AV_PIX_FMT_RGB24));
  cv::Mat pixels(picture.size(), picture.type(), frame->data[0],
                 static_cast<size_t>(frame->linesize[0]));
  if (grey)
    picture.copyTo(pixels);
  else
    cv::cvtColor(picture, pixels, cv::COLOR_BGR2RGB);
  return encoded(*frame, AV_CODEC_ID_PNG, 0);
}

Result<std::vector<std::byte>> encode_jpeg(const cv::Mat& bgr, int quantiser) {
  ffmpeg::Log log;
  VULTUS_TRY(Owned<AVFrame> frame, frame_of(bgr.size(), AV_PIX_FMT_YUV420P));
  frame->colorspace = AVCOL_SPC_BT470BG;
  frame->color_range = AVCOL_RANGE_JPEG;
  ffmpeg::FromBgr from_bgr;
  VULTUS_CHECK(from_bgr(bgr, *frame));
  return encoded(*frame, AV_CODEC_ID_MJPEG, std::clamp(quantiser, 2, 31));
}

}  // namespace vultus
