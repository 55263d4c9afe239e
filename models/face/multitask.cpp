#include "models/face/multitask.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <span>
#include <utility>

#include "models/face/mirror.hpp"
#include "models/face/role.hpp"

namespace vultus::face {

namespace {

constexpr int kSize = 224;
constexpr size_t kPlanes = size_t{3} * kSize * kSize;
constexpr int64_t kFaces = 3;
/// ImageNet's means and deviations, R G B.
constexpr std::array<float, 3> kMean{0.485f, 0.456f, 0.406f}, kDeviation{0.229f, 0.224f, 0.225f};

struct Output {
  std::string_view name;  ///< its beginning: exports also say "au_output"
  int64_t values;
};
constexpr std::array<Output, 3> kOutputs{{{"emotion", 8}, {"gaze", 2}, {"au", 8}}};

/// The names of the outputs in the order of kOutputs; empty when the network is another.
Result<std::vector<std::string>> outputs_of(const Session& session, int64_t batch) {
  std::vector<std::string> names;
  const std::vector<std::string> inputs = session.input_names();
  if (inputs.size() != 1) return names;
  VULTUS_TRY(const Value* input, session.describe(inputs[0]));
  if (input->dtype != DType::f32 || input->shape != Shape{batch, 3, kSize, kSize}) return names;
  const std::vector<std::string> given = session.output_names();
  for (const Output& wanted : kOutputs)
    for (const std::string& name : given) {
      VULTUS_TRY(const Value* output, session.describe(name));
      if (name.starts_with(wanted.name) && output->dtype == DType::f32 &&
          output->shape == Shape{batch, wanted.values}) {
        names.push_back(name);
        break;
      }
    }
  return names.size() == kOutputs.size() ? names : std::vector<std::string>{};
}

/// Shrinks by areas, as the network's training did (an antialiased resize); grows bilinearly.
void write_planes(const cv::Mat& bgr, std::span<float> planes) {
  cv::Mat face;
  const bool shrinks = bgr.cols > kSize && bgr.rows > kSize;
  cv::resize(bgr, face, {kSize, kSize}, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
  constexpr size_t area = size_t{kSize} * kSize;
  for (int y = 0; y < kSize; ++y) {
    const uint8_t* row = face.ptr<uint8_t>(y);
    for (size_t c = 0; c < 3; ++c) {
      const float scale = 1 / (255 * kDeviation[c]), shift = -kMean[c] / kDeviation[c];
      float* to = planes.data() + c * area + static_cast<size_t>(y) * kSize;
      for (size_t x = 0; x < kSize; ++x)
        to[x] = static_cast<float>(row[3 * x + 2 - c]) * scale + shift;
    }
  }
}

/// Probabilities of logits.
std::array<float, 8> softmax(std::span<const float> logits) {
  std::array<float, 8> result{};
  const float largest = *std::ranges::max_element(logits);
  std::ranges::transform(logits, result.begin(), [&](float v) { return std::exp(v - largest); });
  const float sum = std::accumulate(result.begin(), result.end(), 0.0f);
  for (float& v : result)
    v /= sum;
  return result;
}

bool finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float v) { return std::isfinite(v); });
}

}  // namespace

cv::Rect expression_area(const Box& box, cv::Size picture) {
  auto inside = [](double v, int limit) {
    return static_cast<int>(std::clamp(std::isfinite(v) ? v : 0.0, 0.0, double(limit)));
  };
  const int x1 = inside(box.x1, picture.width), x2 = inside(box.x2, picture.width);
  const int y1 = inside(box.y1, picture.height), y2 = inside(box.y2, picture.height);
  return {x1, y1, std::max(0, x2 - x1), std::max(0, y2 - y1)};
}

Multitask::Multitask(Session session, int64_t batch)
    : session_(std::move(session)),
      input_(DType::f32, {batch, 3, kSize, kSize}),
      planes_(kFaces * kPlanes),
      results_(kFaces) {}

Result<std::unique_ptr<Multitask>> Multitask::open(const std::string& path,
                                                   const SessionOptions& options) {
  // Networks that hold their batch in constants work face by face.
  for (int64_t batch : {kFaces, int64_t{1}}) {
    SessionOptions with_batch = options;
    with_batch.batch = batch;
    Result<Session> session = Session::load(path, with_batch);
    if (!session && batch == 1) return as_bad_model(session.error());
    if (!session) continue;
    VULTUS_TRY(std::vector<std::string> outputs, outputs_of(*session, batch));
    if (outputs.empty()) continue;
    const std::string input = session->input_names()[0];
    std::unique_ptr<Multitask> made(new Multitask(std::move(session).value(), batch));
    made->input_name_ = input;
    made->emotion_ = outputs[0];
    made->gaze_ = outputs[1];
    made->action_units_ = outputs[2];
    return made;
  }
  return Error{Errc::bad_model,
               fmt::format("{}: not an mtl network: needs one float input 1x3x224x224 and the "
                           "outputs emotion 1x8, gaze 1x2 and au 1x8",
                           path)};
}

Result<void> Multitask::run(size_t faces) {
  const auto batch = static_cast<size_t>(input_.shape()[0]);
  for (size_t first = 0; first < faces; first += batch) {
    std::span<float> values = input_.as<float>();
    const std::span<const float> from =
        std::span<const float>(planes_).subspan(first * kPlanes, batch * kPlanes);
    std::ranges::copy(from, values.begin());
    VULTUS_CHECK(session_.set_input(input_name_, input_.view()));
    VULTUS_CHECK(session_.run());
    VULTUS_TRY(const Tensor* emotion, session_.output(emotion_));
    VULTUS_TRY(const Tensor* gaze, session_.output(gaze_));
    VULTUS_TRY(const Tensor* units, session_.output(action_units_));
    if (!finite(emotion->as<float>()) || !finite(gaze->as<float>()) || !finite(units->as<float>()))
      return Error{Errc::internal, "action units: the network gave a value that is not a number"};
    for (size_t i = 0; i < batch; ++i) {
      Expression& result = results_[first + i];
      result.emotions = softmax(emotion->as<float>().subspan(i * 8, 8));
      result.gaze_yaw = gaze->as<float>()[2 * i];
      result.gaze_pitch = gaze->as<float>()[2 * i + 1];
      std::ranges::copy(units->as<float>().subspan(i * 8, 8), result.action_units.begin());
    }
  }
  return {};
}

Result<std::optional<Expressions>> Multitask::measure(const cv::Mat& bgr, const Box& box,
                                                      const std::optional<Midline>& midline) {
  if (bgr.empty() || bgr.type() != CV_8UC3)
    return Error{Errc::usage, "action units: the picture must be 8-bit BGR"};
  const cv::Rect area = expression_area(box, bgr.size());
  if (area.empty()) return std::optional<Expressions>();
  const std::span<float> planes(planes_);
  write_planes(bgr(area), planes.first(kPlanes));
  if (midline) {
    MirroredPair halves;
    mirror_both(bgr, midline, area, halves);
    write_planes(halves.left, planes.subspan(kPlanes, kPlanes));
    write_planes(halves.right, planes.subspan(2 * kPlanes, kPlanes));
  }
  VULTUS_CHECK(run(midline ? 3 : 1));
  Expressions found{.whole = results_[0], .left = {}, .right = {}};
  if (midline) {
    found.left = results_[1];
    found.right = results_[2];
  }
  return std::optional<Expressions>(found);
}

}  // namespace vultus::face
