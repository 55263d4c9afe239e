#include "models/face/retinaface.hpp"

#include <fmt/format.h>

#include <cmath>
#include <opencv2/core.hpp>

#include "models/face/nms.hpp"
#include "models/face/role.hpp"

namespace vultus::face {

namespace {

constexpr double kCentreVariance = 0.1, kSizeVariance = 0.2;
/// Sessions kept: the full frame and a few regions; each holds its activations.
constexpr size_t kKeptSizes = 3;

struct Outputs {
  const Tensor* loc = nullptr;
  const Tensor* conf = nullptr;
  const Tensor* landms = nullptr;
};

/// The outputs are told apart by their last axis, because exporters name them as they like.
Result<Outputs> outputs_of(const Session& session, int64_t rows) {
  Outputs found;
  std::vector<std::string> names = session.output_names();
  std::string shapes;
  for (size_t i = 0; i < names.size(); ++i) {
    const Tensor& tensor = session.output(i);
    shapes += fmt::format("{}{} {}", i ? ", " : "", names[i], tensor.shape().str());
    if (tensor.dtype() != DType::f32) continue;
    if (tensor.shape() == Shape{1, rows, 4}) found.loc = &tensor;
    if (tensor.shape() == Shape{1, rows, 2}) found.conf = &tensor;
    if (tensor.shape() == Shape{1, rows, 10}) found.landms = &tensor;
  }
  if (!found.loc || !found.conf || !found.landms)
    return Error{Errc::bad_model,
                 fmt::format("detector: not a RetinaFace network: needs float outputs 1x{0}x4, "
                             "1x{0}x2 and 1x{0}x10, has {1}",
                             rows, shapes)};
  return found;
}

void fill_input(const cv::Mat& bgr, std::span<float> planes) {
  constexpr std::array<float, 3> kMeanBgr{104, 117, 123};
  const size_t area = static_cast<size_t>(bgr.rows) * static_cast<size_t>(bgr.cols);
  cv::parallel_for_({0, bgr.rows}, [&](const cv::Range& rows) {
    for (int y = rows.start; y < rows.end; ++y) {
      const uint8_t* from = bgr.ptr<uint8_t>(y);
      float* to = planes.data() + static_cast<size_t>(y) * static_cast<size_t>(bgr.cols);
      for (int x = 0; x < bgr.cols; ++x)
        for (size_t c = 0; c < 3; ++c)
          to[c * area + static_cast<size_t>(x)] =
              static_cast<float>(from[3 * static_cast<size_t>(x) + c]) - kMeanBgr[c];
    }
  });
}

}  // namespace

std::vector<Detection> decode_retinaface(std::span<const float> loc, std::span<const float> conf,
                                         std::span<const float> landms,
                                         std::span<const Prior> priors, int width, int height,
                                         const RetinaFaceOptions& options) {
  std::vector<Detection> found;
  for (size_t i = 0; i < priors.size(); ++i) {
    // The two sum to one. Near one fp16 cannot tell neighbouring priors apart; near zero it can.
    double score = conf[2 * i + 1] > 0.5f ? 1 - static_cast<double>(conf[2 * i])
                                          : static_cast<double>(conf[2 * i + 1]);
    if (!(score > options.score_threshold)) continue;
    const Prior& prior = priors[i];
    auto offset = [&](size_t k) { return static_cast<double>(loc[4 * i + k]); };
    double cx = prior.cx + offset(0) * kCentreVariance * prior.w;
    double cy = prior.cy + offset(1) * kCentreVariance * prior.h;
    double w = prior.w * std::exp(offset(2) * kSizeVariance);
    double h = prior.h * std::exp(offset(3) * kSizeVariance);
    Detection detection;
    detection.score = score;
    detection.prior = static_cast<int>(i);
    detection.box = {(cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width,
                     (cy + h / 2) * height};
    detection.has_points = true;
    for (size_t m = 0; m < 5; ++m) {
      double dx = static_cast<double>(landms[10 * i + 2 * m]);
      double dy = static_cast<double>(landms[10 * i + 2 * m + 1]);
      detection.points[m] = {(prior.cx + dx * kCentreVariance * prior.w) * width,
                             (prior.cy + dy * kCentreVariance * prior.h) * height};
    }
    if (std::isfinite(cx) && std::isfinite(cy) && std::isfinite(w) && std::isfinite(h))
      found.push_back(detection);
  }
  return suppress(std::move(found), options.nms_threshold, true);
}

Result<std::unique_ptr<RetinaFace>> RetinaFace::open(std::string path, SessionOptions session,
                                                     const RetinaFaceOptions& options) {
  std::unique_ptr<RetinaFace> detector(
      new RetinaFace(std::move(path), std::move(session), options));
  VULTUS_CHECK(detector->detect(cv::Mat::zeros(64, 64, CV_8UC3)));
  detector->dropped_ = {};
  detector->bound_.clear();
  return detector;
}

Result<RetinaFace::Bound*> RetinaFace::bound(int width, int height) {
  for (auto it = bound_.begin(); it != bound_.end(); ++it)
    if (it->width == width && it->height == height) {
      bound_.splice(bound_.begin(), bound_, it);
      return &bound_.front();
    }
  while (bound_.size() >= kKeptSizes) {
    dropped_ += bound_.back().session.transfers();
    bound_.pop_back();
  }
  Shape shape{1, 3, height, width};
  SessionOptions options = session_options_;
  options.shapes = {{options_.input, shape}};
  Result<Session> loaded = Session::load(path_, options);
  if (!loaded) return as_bad_model(loaded.error());
  Session session = std::move(loaded).value();
  VULTUS_TRY(const Value* input, session.describe(options_.input));
  if (input->dtype != DType::f32 || input->shape != shape)
    return Error{Errc::bad_model,
                 fmt::format("{}: detector input is {} {}, a RetinaFace network that takes any "
                             "picture size is needed",
                             path_, name_of(input->dtype), input->shape.str())};
  bound_.push_front(Bound{width, height, std::move(session), retinaface_priors(width, height),
                          Tensor(DType::f32, shape)});
  return &bound_.front();
}

Result<std::vector<Detection>> RetinaFace::detect(const cv::Mat& bgr) {
  if (bgr.empty() || bgr.type() != CV_8UC3)
    return Error{Errc::usage, "detector: the picture must be 8-bit BGR"};
  VULTUS_TRY(Bound * bound, this->bound(bgr.cols, bgr.rows));
  fill_input(bgr, bound->input.as<float>());
  VULTUS_CHECK(bound->session.set_input(options_.input, bound->input.view()));
  VULTUS_CHECK(bound->session.run());
  VULTUS_TRY(Outputs out, outputs_of(bound->session, static_cast<int64_t>(bound->priors.size())));
  return decode_retinaface(out.loc->as<float>(), out.conf->as<float>(), out.landms->as<float>(),
                           bound->priors, bgr.cols, bgr.rows, options_);
}

Transfers RetinaFace::transfers() const {
  Transfers sum = dropped_;
  for (const Bound& bound : bound_)
    sum += bound.session.transfers();
  return sum;
}

}  // namespace vultus::face
