#include "models/face/ultra_light.hpp"

#include <fmt/format.h>

#include <opencv2/imgproc.hpp>
#include <utility>

#include "models/face/nms.hpp"
#include "models/face/role.hpp"

namespace vultus::face {

namespace {
constexpr int kWidth = 320, kHeight = 240, kRows = 4420;
}

std::vector<Detection> decode_ultra_light(std::span<const float> scores,
                                          std::span<const float> boxes, int width, int height,
                                          const UltraLightOptions& options) {
  std::vector<Detection> found;
  for (size_t i = 0; 2 * i < scores.size(); ++i) {
    double score = static_cast<double>(scores[2 * i + 1]);
    if (!(score >= options.score_threshold)) continue;
    auto corner = [&](size_t k) { return static_cast<double>(boxes[4 * i + k]); };
    Detection detection;
    detection.box = {corner(0) * width, corner(1) * height, corner(2) * width, corner(3) * height};
    detection.score = score;
    detection.prior = static_cast<int>(i);
    if (detection.box.width() > 0 && detection.box.height() > 0) found.push_back(detection);
  }
  return suppress(std::move(found), options.nms_threshold, false);
}

UltraLight::UltraLight(Session session, const UltraLightOptions& options, std::string scores,
                       std::string boxes)
    : session_(std::move(session)),
      options_(options),
      scores_(std::move(scores)),
      boxes_(std::move(boxes)),
      input_(DType::f32, {1, 3, kHeight, kWidth}) {}

Result<std::unique_ptr<UltraLight>> UltraLight::open(const std::string& path,
                                                     const SessionOptions& session_options,
                                                     const UltraLightOptions& options) {
  const Shape shape{1, 3, kHeight, kWidth};
  SessionOptions bound = session_options;
  bound.shapes = {{options.input, shape}};
  Result<Session> loaded = Session::load(path, bound);
  if (!loaded) return as_bad_model(loaded.error());
  Session session = std::move(loaded).value();
  VULTUS_TRY(const Value* input, session.describe(options.input));
  std::string scores, boxes;
  for (const std::string& name : session.output_names()) {
    VULTUS_TRY(const Value* output, session.describe(name));
    if (output->dtype != DType::f32) continue;
    if (output->shape == Shape{1, kRows, 2}) scores = name;
    if (output->shape == Shape{1, kRows, 4}) boxes = name;
  }
  if (input->dtype != DType::f32 || input->shape != shape || scores.empty() || boxes.empty())
    return Error{
        Errc::bad_model,
        fmt::format("{}: not an Ultra-Light RFB-320 detector: needs a float input {} (has {}) and "
                    "outputs 1x{}x2 and 1x{}x4",
                    path, shape.str(), input->shape.str(), kRows, kRows)};
  return std::unique_ptr<UltraLight>(
      new UltraLight(std::move(session), options, std::move(scores), std::move(boxes)));
}

Result<std::vector<Detection>> UltraLight::detect(const cv::Mat& bgr) {
  if (bgr.empty() || bgr.type() != CV_8UC3)
    return Error{Errc::usage, "detector: the picture must be 8-bit BGR"};
  cv::Mat small;
  cv::resize(bgr, small, {kWidth, kHeight}, 0, 0, cv::INTER_LINEAR);
  std::span<float> planes = input_.as<float>();
  constexpr size_t kArea = size_t{kWidth} * kHeight;
  for (size_t i = 0; i < kArea; ++i)
    for (size_t c = 0; c < 3; ++c)
      planes[(options_.rgb ? 2 - c : c) * kArea + i] =
          (static_cast<float>(small.data[3 * i + c]) - 127) / 128;
  VULTUS_CHECK(session_.set_input(options_.input, input_.view()));
  VULTUS_CHECK(session_.run());
  VULTUS_TRY(const Tensor* scores, session_.output(scores_));
  VULTUS_TRY(const Tensor* boxes, session_.output(boxes_));
  return decode_ultra_light(scores->as<float>(), boxes->as<float>(), bgr.cols, bgr.rows, options_);
}

}  // namespace vultus::face
