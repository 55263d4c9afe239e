#include "models/face/retinaface.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host/graph/extend.hpp"
#include "host/ops/retinaface_decode.hpp"
#include "host/run/load.hpp"
#include "models/face/role.hpp"

namespace vultus::face {

namespace {

/// Sessions kept: the full frame and a few regions; each holds its activations.
constexpr size_t kKeptSizes = 3;
constexpr std::array<float, 3> kMeanBgr{104, 117, 123};

/// loc, conf and landms. The outputs are told apart by their last axis, because exporters name them
/// as they like.
Result<std::vector<ValueId>> outputs_of(const Graph& graph, int64_t rows) {
  constexpr std::array<int64_t, 3> kColumns{4, 2, 10};
  std::vector<ValueId> found;
  std::string shapes;
  for (ValueId v : graph.outputs)
    shapes += fmt::format("{}{} {}", shapes.empty() ? "" : ", ", graph.value(v).name,
                          graph.shape(v).str());
  for (int64_t columns : kColumns)
    for (ValueId v : graph.outputs)
      if (graph.value(v).dtype == DType::f32 && graph.shape(v) == Shape{1, rows, columns}) {
        found.push_back(v);
        break;
      }
  if (found.size() != kColumns.size())
    return Error{Errc::bad_model,
                 fmt::format("detector: not a RetinaFace network: needs float outputs 1x{0}x4, "
                             "1x{0}x2 and 1x{0}x10, has {1}",
                             rows, shapes)};
  return found;
}

/// Few faces have room in a small picture.
int64_t rows_for(cv::Size size) {
  return std::clamp<int64_t>(int64_t{size.width} * size.height / 1024, 16, RetinaFace::kMostFaces);
}

Node decode_node(cv::Size size, const RetinaFaceOptions& options) {
  Node node;
  node.name = "vultus.decode";
  node.op = "RetinaFaceDecode";
  node.attributes = {{"height", int64_t{size.height}},
                     {"width", int64_t{size.width}},
                     {"most", rows_for(size)},
                     {"score_threshold", static_cast<float>(options.score_threshold)},
                     {"nms_threshold", static_cast<float>(options.nms_threshold)}};
  return node;
}

CropWarp crop_of(cv::Size size) {
  CropWarp crop{.height = size.height, .width = size.width, .area = true};
  std::ranges::transform(kMeanBgr, crop.shift.begin(), std::negate());
  return crop;
}

std::vector<Detection> detections_of(std::span<const float> rows) {
  std::vector<Detection> found;
  for (; !rows.empty() && rows[kRetinaFaceRow - 1] >= 0; rows = rows.subspan(kRetinaFaceRow)) {
    auto at = [&](size_t k) { return static_cast<double>(rows[k]); };
    Detection face;
    face.box = {at(0), at(1), at(2), at(3)};
    face.score = at(4);
    face.has_points = true;
    for (size_t m = 0; m < 5; ++m)
      face.points[m] = {at(5 + 2 * m), at(6 + 2 * m)};
    face.prior = static_cast<int>(rows[kRetinaFaceRow - 1]);
    found.push_back(face);
  }
  return found;
}

}  // namespace

Result<std::unique_ptr<RetinaFace>> RetinaFace::open(std::string path, SessionOptions session,
                                                     const RetinaFaceOptions& options,
                                                     std::shared_ptr<Picture> picture) {
  std::unique_ptr<RetinaFace> detector(
      new RetinaFace(std::move(path), std::move(session), options, std::move(picture)));
  VULTUS_CHECK(detector->bind({64, 64}));
  return detector;
}

/// From the picture in the network's input to rows of faces.
Result<Graph> RetinaFace::graph_for(cv::Size size) const {
  const Shape shape{1, 3, size.height, size.width};
  VULTUS_CHECK(file_.unchanged());
  Result<LoadedGraph> loaded = load_graph(file_.path(), {{options_.input, shape}},
                                          session_options_.batch, session_options_.fuse);
  if (!loaded) return as_bad_model(loaded.error());
  Graph& graph = loaded->graph;
  const ValueId input = graph.find(options_.input);
  if (input == kNoValue || graph.value(input).dtype != DType::f32 || graph.shape(input) != shape)
    return Error{
        Errc::bad_model,
        fmt::format("{}: detector input is {}, a RetinaFace network that takes any "
                    "picture size is needed",
                    file_.path(), input == kNoValue ? "missing" : graph.shape(input).str())};
  VULTUS_TRY(std::vector<ValueId> outputs,
             outputs_of(graph, retinaface_prior_count(size.height, size.width)));
  VULTUS_CHECK(put_behind(graph, outputs, decode_node(size, options_), "vultus.faces"));
  graph.outputs.resize(1);
  graph.compact();
  return std::move(graph);
}

Result<PictureNetwork> RetinaFace::bind(cv::Size size) const {
  return PictureNetwork::open([this, size] { return graph_for(size); }, options_.input,
                              crop_of(size), session_options_, picture_);
}

Result<std::optional<NetworkPart>> RetinaFace::area_part() const {
  const cv::Size size(kAreaPixels, kAreaPixels);
  VULTUS_TRY(Graph graph, graph_for(size));
  std::vector<std::string> outputs{graph.value(graph.outputs[0]).name};
  return std::optional(
      NetworkPart{std::move(graph), options_.input, crop_of(size), std::move(outputs)});
}

Result<PictureNetwork*> RetinaFace::bound(cv::Size size) {
  for (auto it = bound_.begin(); it != bound_.end(); ++it)
    if (it->size == size) {
      bound_.splice(bound_.begin(), bound_, it);
      return &bound_.front().network;
    }
  while (bound_.size() >= kKeptSizes) {
    dropped_ += bound_.back().network.transfers();
    bound_.pop_back();
  }
  VULTUS_TRY(PictureNetwork network, bind(size));
  bound_.push_front({size, std::move(network)});
  return &bound_.front().network;
}

Result<std::vector<Detection>> RetinaFace::run(cv::Size size, const CropRectangle& rectangle) {
  VULTUS_TRY(PictureNetwork * network, bound(size));
  VULTUS_CHECK(network->run(std::array{rectangle}));
  return detections_of(network->session().output(0).as<float>());
}

Result<std::vector<Detection>> RetinaFace::search(size_t frame) {
  const cv::Size size = picture_->size();
  if (size.empty()) return Error{Errc::usage, "detector: no picture is shown"};
  return run(size,
             {size.width / 2.0, size.height / 2.0, double(size.width), double(size.height), frame});
}

Result<std::vector<Detection>> RetinaFace::search_resampled(size_t frame, const SearchArea& area) {
  const double half = area.side / 2.0;
  return run({kAreaPixels, kAreaPixels},
             {area.x + half, area.y + half, double(area.side), double(area.side), frame});
}

Transfers RetinaFace::transfers() const {
  Transfers sum = dropped_;
  for (const Bound& bound : bound_)
    sum += bound.network.transfers();
  return sum;
}

}  // namespace vultus::face
