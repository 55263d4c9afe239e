#include "models/face/ultra_light.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "host/run/load.hpp"
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

Result<std::unique_ptr<UltraLight>> UltraLight::open(const std::string& path,
                                                     const SessionOptions& session_options,
                                                     const UltraLightOptions& options,
                                                     std::shared_ptr<Picture> picture) {
  const Shape shape{1, 3, kHeight, kWidth};
  SessionOptions session = session_options;
  session.shapes = {{options.input, shape}};
  Result<LoadedGraph> loaded = load_graph(path, session.shapes, session.batch, session.fuse);
  if (!loaded) return as_bad_model(loaded.error());
  const Graph& graph = loaded->graph;
  const ValueId input = graph.find(options.input);
  std::string scores, boxes;
  for (ValueId v : graph.outputs) {
    const Value& output = graph.value(v);
    if (output.dtype != DType::f32) continue;
    if (output.shape == Shape{1, kRows, 2}) scores = output.name;
    if (output.shape == Shape{1, kRows, 4}) boxes = output.name;
  }
  if (input == kNoValue || graph.value(input).dtype != DType::f32 || graph.shape(input) != shape ||
      scores.empty() || boxes.empty())
    return Error{
        Errc::bad_model,
        fmt::format("{}: not an Ultra-Light RFB-320 detector: needs a float input {} (has {}) and "
                    "outputs 1x{}x2 and 1x{}x4",
                    path, shape.str(), input == kNoValue ? "none" : graph.shape(input).str(), kRows,
                    kRows)};
  CropWarp crop{.height = kHeight, .width = kWidth};
  crop.channels = options.rgb ? CropWarp::Channels::rgb : CropWarp::Channels::bgr;
  crop.scale.fill(1 / 128.0f);
  crop.shift.fill(-127 / 128.0f);
  VULTUS_TRY(PictureNetwork network, PictureNetwork::open(source_of(std::move(loaded->graph), path,
                                                                    session, {scores, boxes}),
                                                          options.input, crop, session, picture));
  return std::unique_ptr<UltraLight>(new UltraLight(std::move(network), options, std::move(scores),
                                                    std::move(boxes), std::move(picture)));
}

Result<std::vector<Detection>> UltraLight::run(const CropRectangle& rectangle, cv::Size size) {
  VULTUS_CHECK(network_.run(std::array{rectangle}));
  VULTUS_TRY(const Tensor* scores, network_.session().output(scores_));
  VULTUS_TRY(const Tensor* boxes, network_.session().output(boxes_));
  return decode_ultra_light(scores->as<float>(), boxes->as<float>(), size.width, size.height,
                            options_);
}

Result<std::vector<Detection>> UltraLight::search(size_t frame) {
  const cv::Size size = picture_->size();
  if (size.empty()) return Error{Errc::usage, "detector: no picture is shown"};
  return run({size.width / 2.0, size.height / 2.0, double(size.width), double(size.height), frame},
             size);
}

Result<std::vector<Detection>> UltraLight::search_resampled(size_t frame, const SearchArea& area) {
  const double half = area.side / 2.0;
  return run({area.x + half, area.y + half, double(area.side), double(area.side), frame},
             {kAreaPixels, kAreaPixels});
}

}  // namespace vultus::face
