#include <cmath>
#include <opencv2/core.hpp>
#include <random>

#include "models/video/convert.hpp"
#include "tests/support/support.hpp"

namespace vultus::ffmpeg {
namespace {

struct Case {
  const char* name;
  AVPixelFormat format;
  AVColorSpace space;
  AVColorRange range;
  double kr, kb;  // luma weights of red and blue (ITU-R BT.601, BT.709, BT.2020)
  bool full;
};

constexpr Case kCases[] = {
    {"Bt601Limited", AV_PIX_FMT_YUV420P, AVCOL_SPC_SMPTE170M, AVCOL_RANGE_MPEG, 0.299, 0.114,
     false},
    {"Bt601Full", AV_PIX_FMT_YUV420P, AVCOL_SPC_BT470BG, AVCOL_RANGE_JPEG, 0.299, 0.114, true},
    {"Bt709Limited", AV_PIX_FMT_YUV420P, AVCOL_SPC_BT709, AVCOL_RANGE_MPEG, 0.2126, 0.0722, false},
    {"Bt709Full", AV_PIX_FMT_YUV444P, AVCOL_SPC_BT709, AVCOL_RANGE_JPEG, 0.2126, 0.0722, true},
    {"Bt2020Limited", AV_PIX_FMT_YUV422P, AVCOL_SPC_BT2020_NCL, AVCOL_RANGE_MPEG, 0.2627, 0.0593,
     false},
    {"UntaggedIsBt601Limited", AV_PIX_FMT_YUV420P, AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_UNSPECIFIED,
     0.299, 0.114, false},
    {"UntaggedJpegIsBt601Full", AV_PIX_FMT_YUVJ420P, AVCOL_SPC_UNSPECIFIED, AVCOL_RANGE_UNSPECIFIED,
     0.299, 0.114, true},
};

class ToBgrOf : public testing::TestWithParam<Case> {};

/// A picture of one colour, so that the chroma filter has no say.
Owned<AVFrame> plain_picture(const Case& c, int width, int height, cv::Vec3i yuv) {
  Owned<AVFrame> frame(av_frame_alloc());
  frame->width = width;
  frame->height = height;
  frame->format = c.format;
  frame->colorspace = c.space;
  frame->color_range = c.range;
  EXPECT_GE(av_frame_get_buffer(frame.get(), 0), 0);
  const AVPixFmtDescriptor* layout = av_pix_fmt_desc_get(c.format);
  for (int plane = 0; plane < 3; ++plane) {
    int rows = plane == 0 ? height : -((-height) >> layout->log2_chroma_h);
    std::fill_n(frame->data[plane], rows * frame->linesize[plane],
                static_cast<uint8_t>(yuv[plane]));
  }
  return frame;
}

cv::Vec3d exact_bgr(const Case& c, cv::Vec3i yuv) {
  double y = c.full ? yuv[0] / 255.0 : (yuv[0] - 16) / 219.0;
  double u = c.full ? (yuv[1] - 128) / 255.0 : (yuv[1] - 128) / 224.0;
  double v = c.full ? (yuv[2] - 128) / 255.0 : (yuv[2] - 128) / 224.0;
  double red = y + 2 * (1 - c.kr) * v;
  double blue = y + 2 * (1 - c.kb) * u;
  double green = (y - c.kr * red - c.kb * blue) / (1 - c.kr - c.kb);
  auto level = [](double x) { return std::clamp(255 * x, 0.0, 255.0); };
  return {level(blue), level(green), level(red)};
}

// One level: rounding of the 8-bit result (0.5) and of swscale's fixed point.
TEST_P(ToBgrOf, MeetsTheFormulaWithinOneLevelWithoutBias) {
  const Case& c = GetParam();
  std::mt19937 random(7);
  std::uniform_int_distribution<int> luma(40, 210), chroma(96, 160);
  cv::Vec3d bias;
  constexpr int kColours = 60;
  ToBgr to_bgr;
  for (int i = 0; i < kColours; ++i) {
    cv::Vec3i yuv(luma(random), chroma(random), chroma(random));
    auto frame = plain_picture(c, 34, 18, yuv);
    cv::Mat bgr;
    ASSERT_TRUE(to_bgr(*frame, bgr));
    ASSERT_EQ(bgr.size(), cv::Size(34, 18));
    cv::Vec3d exact = exact_bgr(c, yuv);
    cv::Vec3b got = bgr.at<cv::Vec3b>(17, 33);
    EXPECT_EQ(bgr.at<cv::Vec3b>(0, 0), got);
    for (int k = 0; k < 3; ++k) {
      EXPECT_NEAR(got[k], exact[k], 1.0) << cv::Mat(yuv).t() << " channel " << k;
      bias[k] += (got[k] - exact[k]) / kColours;
    }
  }
  for (int k = 0; k < 3; ++k)
    EXPECT_NEAR(bias[k], 0, 0.25) << "channel " << k;
}

INSTANTIATE_TEST_SUITE_P(VideoConvert, ToBgrOf, testing::ValuesIn(kCases),
                         [](const auto& c) { return std::string(c.param.name); });

TEST(VideoConvert, ThereAndBackIsTheSamePictureWhereColourIsSmooth) {
  for (AVColorSpace space : {AVCOL_SPC_BT709, AVCOL_SPC_SMPTE170M}) {
    cv::Mat bgr(49, 35, CV_8UC3);
    for (int y = 0; y < bgr.rows; ++y)
      for (int x = 0; x < bgr.cols; ++x)
        bgr.at<cv::Vec3b>(y, x) =
            cv::Vec3b(static_cast<uint8_t>(60 + 2 * x), static_cast<uint8_t>(90 + x + y),
                      static_cast<uint8_t>(200 - 2 * y));
    Owned<AVFrame> frame(av_frame_alloc());
    frame->width = 36;
    frame->height = 50;
    frame->format = AV_PIX_FMT_YUV420P;
    frame->colorspace = space;
    frame->color_range = AVCOL_RANGE_MPEG;
    ASSERT_GE(av_frame_get_buffer(frame.get(), 0), 0);
    FromBgr from_bgr;
    ASSERT_TRUE(from_bgr(bgr, *frame));
    cv::Mat back;
    ToBgr to_bgr;
    ASSERT_TRUE(to_bgr(*frame, back));
    // Limited range keeps 219 of 256 steps and chroma has half the resolution.
    cv::Mat inside = back(cv::Rect(0, 0, 35, 49));
    EXPECT_LE(cv::norm(inside, bgr, cv::NORM_INF), 5);
    EXPECT_LT(cv::norm(inside, bgr, cv::NORM_L1) / static_cast<double>(bgr.total() * 3), 1.0);
  }
}

Owned<AVFrame> converted(const cv::Mat& bgr) {
  Owned<AVFrame> frame(av_frame_alloc());
  frame->width = bgr.cols + bgr.cols % 2;
  frame->height = bgr.rows + bgr.rows % 2;
  frame->format = AV_PIX_FMT_YUV420P;
  frame->colorspace = AVCOL_SPC_BT709;
  frame->color_range = AVCOL_RANGE_MPEG;
  EXPECT_GE(av_frame_get_buffer(frame.get(), 0), 0);
  FromBgr from_bgr;
  EXPECT_TRUE(from_bgr(bgr, *frame));
  return frame;
}

// One that is widened is copied as a whole; of one that is not the rows are read where they are.
TEST(VideoConvert, APictureReadInPlaceIsConvertedAsItsCopy) {
  std::mt19937 random(11);
  for (const cv::Size size : {cv::Size(1, 1), {3, 2}, {35, 21}, {641, 362}, {639, 7}}) {
    cv::Mat odd(size, CV_8UC3), even;
    for (int y = 0; y < odd.rows; ++y)
      for (int x = 0; x < 3 * odd.cols; ++x)
        odd.ptr<uint8_t>(y)[x] = static_cast<uint8_t>(random());
    cv::copyMakeBorder(odd, even, 0, size.height % 2, 0, 1, cv::BORDER_REPLICATE);
    const Owned<AVFrame> copied = converted(odd), in_place = converted(even);
    for (int plane = 0; plane < 3; ++plane)
      for (int y = 0; y < copied->height >> (plane > 0); ++y) {
        const auto row = [&](const AVFrame& f) { return f.data[plane] + y * f.linesize[plane]; };
        const int width = copied->width >> (plane > 0);
        ASSERT_TRUE(std::equal(row(*copied), row(*copied) + width, row(*in_place)))
            << size << " plane " << plane << " row " << y;
      }
  }
}

TEST(VideoConvert, DisplayMatricesOfQuarterTurnsAndFlipsAreUnderstood) {
  constexpr int32_t one = 1 << 16;
  struct {
    int32_t a, b, c, d;
    Orientation expected;
  } cases[] = {
      {one, 0, 0, one, {0, false}},     {0, one, -one, 0, {90, false}},
      {-one, 0, 0, -one, {180, false}}, {0, -one, one, 0, {270, false}},
      {-one, 0, 0, one, {0, true}},     {one, 0, 0, -one, {180, true}},
      {0, one, one, 0, {270, true}},    {0, -one, -one, 0, {90, true}},
  };
  for (const auto& m : cases) {
    int32_t matrix[9] = {m.a, m.b, 0, m.c, m.d, 0, 0, 0, 1 << 30};
    auto orientation = orientation_of(matrix);
    ASSERT_TRUE(orientation);
    EXPECT_EQ(*orientation, m.expected) << m.a << " " << m.b << " " << m.c << " " << m.d;
    // The picture must move as the matrix moves its points, up to a shift.
    cv::Mat coded = cv::Mat::zeros(3, 5, CV_8UC1);
    coded.at<uint8_t>(0, 0) = 1;
    coded.at<uint8_t>(0, 4) = 2;
    cv::Mat shown = upright(coded, *orientation);
    cv::Point first, second;
    cv::minMaxLoc(shown == 1, nullptr, nullptr, nullptr, &first);
    cv::minMaxLoc(shown == 2, nullptr, nullptr, nullptr, &second);
    EXPECT_EQ(second - first, cv::Point(4 * m.a / one, 4 * m.b / one));
  }
}

TEST(VideoConvert, ADisplayMatrixOfAnotherAngleIsNotUnderstood) {
  int32_t tilted[9] = {56756, 32768, 0, -32768, 56756, 0, 0, 0, 1 << 30};
  EXPECT_FALSE(orientation_of(tilted));
  int32_t empty[9] = {};
  EXPECT_FALSE(orientation_of(empty));
}

}  // namespace
}  // namespace vultus::ffmpeg
