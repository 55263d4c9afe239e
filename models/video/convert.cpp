#include "models/video/convert.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/core.hpp>

namespace vultus::ffmpeg {

namespace {

constexpr int kExact = SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP;
constexpr int kUnit = 1 << 16;  // swscale's 1.0 for contrast and saturation

Error no_conversion(int format, int width, int height) {
  const char* name = av_get_pix_fmt_name(static_cast<AVPixelFormat>(format));
  return {Errc::bad_input, fmt::format("pixel format {} at {}x{} cannot be converted to BGR",
                                       name == nullptr ? "?" : name, width, height)};
}

}  // namespace

Result<void> ToBgr::operator()(const AVFrame& frame, cv::Mat& bgr) {
  cv::Size size(frame.width, frame.height);
  if (!scaler_ || size != size_ || frame.format != format_ || frame.colorspace != colour_space_ ||
      frame.color_range != range_) {
    auto format = static_cast<AVPixelFormat>(frame.format);
    scaler_.reset(sws_getContext(size.width, size.height, format, size.width, size.height,
                                 AV_PIX_FMT_BGR24, kExact, nullptr, nullptr, nullptr));
    if (!scaler_) return no_conversion(frame.format, size.width, size.height);
    int* inverse = nullptr;
    int* table = nullptr;
    int source_range, target_range, brightness, contrast, saturation;
    // RGB sources have no matrix; libav says so with an error that is none.
    if (sws_getColorspaceDetails(scaler_.get(), &inverse, &source_range, &table, &target_range,
                                 &brightness, &contrast, &saturation) >= 0) {
      if (frame.color_range != AVCOL_RANGE_UNSPECIFIED)
        source_range = frame.color_range == AVCOL_RANGE_JPEG;
      sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(frame.colorspace), source_range,
                               table, target_range, 0, kUnit, kUnit);
    }
    size_ = size;
    format_ = frame.format;
    colour_space_ = frame.colorspace;
    range_ = frame.color_range;
  }
  // One row more than needed: swscale's vector code may write past the end of the last row.
  cv::Mat memory(size.height + 1, size.width, CV_8UC3);
  bgr = memory.rowRange(0, size.height);
  std::array<uint8_t*, 4> planes{bgr.data};
  std::array<int, 4> strides{static_cast<int>(bgr.step)};
  int rows = sws_scale(scaler_.get(), frame.data, frame.linesize, 0, size.height, planes.data(),
                       strides.data());
  if (rows != size.height) return no_conversion(frame.format, size.width, size.height);
  return {};
}

Result<void> FromBgr::operator()(const cv::Mat& bgr, AVFrame& frame) {
  if (!scaler_) {
    scaler_.reset(sws_getContext(frame.width, frame.height, AV_PIX_FMT_BGR24, frame.width,
                                 frame.height, AV_PIX_FMT_YUV420P, kExact, nullptr, nullptr,
                                 nullptr));
    if (!scaler_) return no_conversion(AV_PIX_FMT_BGR24, frame.width, frame.height);
    const int* table = sws_getCoefficients(frame.colorspace);
    const int full = frame.color_range == AVCOL_RANGE_JPEG;
    sws_setColorspaceDetails(scaler_.get(), table, 1, table, full, 0, kUnit, kUnit);
  }
  // swscale reads past the end of a row: those without a row behind them, and all that must be
  // widened, are copied.
  const int in_place = bgr.cols == frame.width ? (bgr.rows - 1) / 2 * 2 : 0;
  cv::copyMakeBorder(bgr.rowRange(in_place, bgr.rows), padded_, 0, frame.height - bgr.rows + 1, 0,
                     frame.width - bgr.cols, cv::BORDER_REPLICATE);
  auto convert = [&](const cv::Mat& from, int first, int count) {
    std::array<const uint8_t*, 4> planes{from.data};
    std::array<int, 4> strides{static_cast<int>(from.step)};
    return sws_scale(scaler_.get(), planes.data(), strides.data(), first, count, frame.data,
                     frame.linesize);
  };
  int rows = in_place > 0 ? convert(bgr, 0, in_place) : 0;
  rows += convert(padded_, in_place, frame.height - in_place);
  if (rows != frame.height) return no_conversion(AV_PIX_FMT_BGR24, frame.width, frame.height);
  return {};
}

std::optional<Orientation> orientation_of(const int32_t* m) {
  // A coded point (p, q) is shown at (m0 p + m3 q + m6, m1 p + m4 q + m7).
  double a = m[0], b = m[1], c = m[3], d = m[4];
  double determinant = a * d - b * c;
  if (determinant == 0) return std::nullopt;
  Orientation orientation{.mirrored = determinant < 0};
  if (orientation.mirrored) a = -a, b = -b;
  double degrees = std::atan2(b, a) * 180 / std::numbers::pi;
  double quarters = std::round(degrees / 90);
  if (std::abs(degrees - 90 * quarters) > 1) return std::nullopt;
  orientation.clockwise_degrees = (static_cast<int>(quarters) * 90 + 360) % 360;
  return orientation;
}

cv::Mat upright(cv::Mat coded, Orientation orientation) {
  if (orientation.mirrored) {
    cv::Mat flipped;
    cv::flip(coded, flipped, 1);
    coded = flipped;
  }
  if (orientation.clockwise_degrees == 0) return coded;
  cv::Mat turned;
  cv::rotate(coded, turned,
             orientation.clockwise_degrees == 90    ? cv::ROTATE_90_CLOCKWISE
             : orientation.clockwise_degrees == 180 ? cv::ROTATE_180
                                                    : cv::ROTATE_90_COUNTERCLOCKWISE);
  return turned;
}

}  // namespace vultus::ffmpeg
