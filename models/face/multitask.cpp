#include "models/face/multitask.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <opencv2/imgproc.hpp>
#include <span>
#include <utility>

#include "host/run/load.hpp"
#include "models/face/mirror.hpp"
#include "models/face/role.hpp"

namespace vultus::face {

namespace {

constexpr int kSize = 224;
constexpr size_t kPlanes = size_t{3} * kSize * kSize;
/// Of a face: as it is, its left half and its right half.
constexpr size_t kPictures = 3;
/// ImageNet's means and deviations, R G B.
constexpr std::array<float, 3> kMean{0.485f, 0.456f, 0.406f}, kDeviation{0.229f, 0.224f, 0.225f};

struct Output {
  std::string_view name;  ///< its beginning: exports also say "au_output"
  int64_t values;
};
constexpr std::array<Output, 3> kOutputs{{{"emotion", 8}, {"gaze", 2}, {"au", 8}}};

/// The names of the outputs in the order of kOutputs; empty when the network is another.
std::vector<std::string> outputs_of(const Graph& graph, int64_t batch) {
  std::vector<std::string> names;
  if (graph.inputs.size() != 1) return names;
  const Value& input = graph.value(graph.inputs[0]);
  if (input.dtype != DType::f32 || input.shape != Shape{batch, 3, kSize, kSize}) return names;
  for (const Output& wanted : kOutputs)
    for (ValueId v : graph.outputs) {
      const Value& output = graph.value(v);
      if (output.name.starts_with(wanted.name) && output.dtype == DType::f32 &&
          output.shape == Shape{batch, wanted.values}) {
        names.push_back(output.name);
        break;
      }
    }
  return names.size() == kOutputs.size() ? names : std::vector<std::string>{};
}

CropWarp crop_of_faces() {
  CropWarp crop{.height = kSize, .width = kSize, .area = true};
  crop.channels = CropWarp::Channels::rgb;
  for (size_t c = 0; c < 3; ++c) {
    crop.scale[c] = 1 / (255 * kDeviation[c]);
    crop.shift[c] = -kMean[c] / kDeviation[c];
  }
  return crop;
}

bool crops_on_gpu(const Session& session) {
  const Graph& graph = session.graph();
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    if (graph.nodes[n].op == "CropWarp")
      return session.plan().placement[n]->info().kind == DeviceKind::gpu;
  return false;
}

void write_planes(const cv::Mat& bgr, std::span<float> planes) {
  const cv::Mat face = expression_face(bgr);
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

Result<Expression> expression_of(std::span<const float> emotion, std::span<const float> gaze,
                                 std::span<const float> action_units) {
  if (!finite(emotion) || !finite(gaze) || !finite(action_units))
    return Error{Errc::internal, "action units: the network gave a value that is not a number"};
  Expression result;
  result.emotions = softmax(emotion);
  result.gaze_yaw = gaze[0];
  result.gaze_pitch = gaze[1];
  std::ranges::copy(action_units, result.action_units.begin());
  return result;
}

cv::Rect expression_area(const Box& box, cv::Size picture) {
  auto inside = [](double v, int limit) {
    return static_cast<int>(std::clamp(std::isfinite(v) ? v : 0.0, 0.0, double(limit)));
  };
  const int x1 = inside(box.x1, picture.width), x2 = inside(box.x2, picture.width);
  const int y1 = inside(box.y1, picture.height), y2 = inside(box.y2, picture.height);
  return {x1, y1, std::max(0, x2 - x1), std::max(0, y2 - y1)};
}

cv::Mat expression_face(const cv::Mat& bgr) {
  const bool wide = bgr.cols > kSize, tall = bgr.rows > kSize;
  cv::Mat face;
  if (wide == tall) {
    cv::resize(bgr, face, {kSize, kSize}, 0, 0, wide ? cv::INTER_AREA : cv::INTER_LINEAR);
    return face;
  }
  cv::Mat exact, averaged;  // OpenCV has one filter for both axes
  bgr.convertTo(exact, CV_32F);
  const cv::Size half_way = wide ? cv::Size(kSize, bgr.rows) : cv::Size(bgr.cols, kSize);
  cv::resize(exact, averaged, half_way, 0, 0, cv::INTER_AREA);
  cv::resize(averaged, exact, {kSize, kSize}, 0, 0, cv::INTER_LINEAR);
  exact.convertTo(face, CV_8U);
  return face;
}

Multitask::Multitask(int64_t batch, std::shared_ptr<Picture> picture)
    : picture_(std::move(picture)),
      batch_(static_cast<size_t>(batch)),
      results_(std::max(batch_, kPictures)) {}

Result<void> Multitask::load(Graph graph, const std::string& path, SessionOptions options) {
  options.batch = static_cast<int64_t>(batch_);
  const bool gpu = std::ranges::any_of(
      options.devices, [](const Device* d) { return d->info().kind == DeviceKind::gpu; });
  if (gpu) {
    VULTUS_TRY(PictureNetwork crops,
               PictureNetwork::open_mirrored(
                   source_of(graph, path, options, {emotion_, gaze_, action_units_}), input_name_,
                   crop_of_faces(), options, picture_));
    if (crops_on_gpu(crops.session())) {
      crops_ = std::move(crops);
      return {};
    }
  }
  VULTUS_TRY(session_, Session::from_graph(std::move(graph), options));
  planes_ = Tensor(DType::f32, {static_cast<int64_t>(results_.size()), 3, kSize, kSize});
  return {};
}

Result<std::unique_ptr<Multitask>> Multitask::open(const std::string& path,
                                                   const SessionOptions& options,
                                                   std::shared_ptr<Picture> picture) {
  // Networks that hold their batch in constants work face by face.
  for (int64_t batch : {static_cast<int64_t>(kPictures * picture->most_frames()), int64_t{1}}) {
    Result<LoadedGraph> loaded = load_graph(path, options.shapes, batch, options.fuse);
    if (!loaded && batch == 1) return as_bad_model(loaded.error());
    if (!loaded) continue;
    const std::vector<std::string> outputs = outputs_of(loaded->graph, batch);
    if (outputs.empty()) continue;
    std::unique_ptr<Multitask> made(new Multitask(batch, std::move(picture)));
    made->input_name_ = loaded->graph.value(loaded->graph.inputs[0]).name;
    made->emotion_ = outputs[0];
    made->gaze_ = outputs[1];
    made->action_units_ = outputs[2];
    made->file_.emplace(path);
    made->options_ = options;
    made->options_.batch = batch;
    VULTUS_CHECK(made->load(std::move(loaded->graph), path, options));
    return made;
  }
  return Error{Errc::bad_model,
               fmt::format("{}: not an mtl network: needs one float input 1x3x224x224 and the "
                           "outputs emotion 1x8, gaze 1x2 and au 1x8",
                           path)};
}

Result<NetworkPart> Multitask::part() const {
  VULTUS_CHECK(file_->unchanged());
  VULTUS_TRY(LoadedGraph loaded,
             load_graph(file_->path(), options_.shapes, options_.batch, options_.fuse));
  return NetworkPart{
      std::move(loaded.graph), input_name_, crop_of_faces(), {emotion_, gaze_, action_units_}};
}

Transfers Multitask::transfers() const {
  return crops_ ? crops_->transfers() : session_->transfers();
}

/// Of a pass, into results_[first] and those behind it.
Result<void> Multitask::take_results(size_t first) {
  const Session& session = crops_ ? crops_->session() : *session_;
  VULTUS_TRY(const Tensor* emotion, session.output(emotion_));
  VULTUS_TRY(const Tensor* gaze, session.output(gaze_));
  VULTUS_TRY(const Tensor* units, session.output(action_units_));
  for (size_t i = 0; i < batch_; ++i) {
    VULTUS_TRY(results_[first + i], expression_of(emotion->as<float>().subspan(i * 8, 8),
                                                  gaze->as<float>().subspan(i * 2, 2),
                                                  units->as<float>().subspan(i * 8, 8)));
  }
  return {};
}

/// The device crops and mirrors.
void Multitask::place_crops(std::span<const Seen> faces) {
  rectangles_.clear();
  lines_.clear();
  for (const Seen& seen : faces) {
    const cv::Rect& area = seen.area;
    const Point middle(area.x + area.width / 2.0, area.y + area.height / 2.0);
    rectangles_.insert(
        rectangles_.end(), kPictures,
        {middle.x, middle.y, double(area.width), double(area.height), seen.face->frame});
    lines_.push_back({});
    for (Side side : {Side::left, Side::right})
      lines_.push_back(mirror_line(seen.face->midline, side, middle));
  }
  rectangles_.resize(results_.size(), rectangles_.back());
  lines_.resize(results_.size());
}

void Multitask::write_faces(std::span<const Seen> faces) {
  std::span<float> to = planes_.as<float>();
  auto write = [&](const cv::Mat& picture) {
    write_planes(picture, to.first(kPlanes));
    to = to.subspan(kPlanes);
  };
  for (const auto& [face, area] : faces) {
    const cv::Mat& bgr = picture_->bgr(face->frame);
    write(bgr(area));
    if (face->midline) {
      MirroredPair halves;
      mirror_both(bgr, face->midline, area, halves);
      write(halves.left);
      write(halves.right);
    } else {
      to = to.subspan(2 * kPlanes);
    }
  }
}

/// Of the faces in place, into results_[first] and those behind it.
Result<void> Multitask::run_pass(size_t first) {
  if (crops_) {
    VULTUS_CHECK(crops_->run(std::span(rectangles_).subspan(first, batch_),
                             std::span(lines_).subspan(first, batch_)));
  } else {
    TensorView pass = planes_.view();
    pass.shape[0] = static_cast<int64_t>(batch_);
    pass.bytes += first * kPlanes * sizeof(float);
    VULTUS_CHECK(session_->set_input(input_name_, pass));
    VULTUS_CHECK(session_->run());
  }
  return take_results(first);
}

/// No more than go at once.
Result<void> Multitask::run_faces(std::span<const Seen> faces) {
  if (crops_)
    place_crops(faces);
  else
    write_faces(faces);
  if (batch_ > 1) return run_pass(0);
  for (size_t i = 0; i < faces.size(); ++i)
    for (size_t k = 0; k < (faces[i].face->midline ? kPictures : 1); ++k)
      VULTUS_CHECK(run_pass(kPictures * i + k));
  return {};
}

Result<std::optional<Expressions>> Multitask::measure(const cv::Mat& bgr, const Box& box,
                                                      const std::optional<Midline>& midline) {
  VULTUS_CHECK(picture_->show(bgr));
  const Face face{0, box, midline};
  VULTUS_TRY(auto found, measure(std::span(&face, 1)));
  return found.front();
}

Result<std::vector<std::optional<Expressions>>> Multitask::measure(std::span<const Face> faces) {
  if (std::ranges::any_of(faces, [&](const Face& f) { return f.frame >= picture_->frames(); }))
    return Error{Errc::usage, "action units of a frame that is not shown: show it first"};
  std::vector<std::optional<Expressions>> found(faces.size());
  std::vector<Seen> seen;
  for (const Face& face : faces)
    if (cv::Rect area = expression_area(face.box, picture_->size()); !area.empty())
      seen.push_back({&face, area});
  const size_t most = results_.size() / kPictures;
  for (size_t first = 0; first < seen.size(); first += most) {
    const auto some = std::span(seen).subspan(first, std::min(most, seen.size() - first));
    VULTUS_CHECK(run_faces(some));
    for (size_t i = 0; i < some.size(); ++i) {
      const Expression* of = &results_[kPictures * i];
      Expressions& one = found[static_cast<size_t>(some[i].face - faces.data())].emplace();
      one.whole = of[0];
      if (some[i].face->midline) {
        one.left = of[1];
        one.right = of[2];
      }
    }
  }
  return found;
}

}  // namespace vultus::face
