#include "models/face/landmarker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "host/run/load.hpp"
#include "models/face/role.hpp"

namespace vultus::face {

namespace {

/// What a kind of network expects and gives.
struct Contract {
  std::string_view name;
  LandmarkScheme scheme;
  CropWarp crop;
};

const Contract& contract_of(LandmarkerKind kind) {
  using Channels = CropWarp::Channels;
  constexpr float kTwo = 1 / 127.5f, kGrey = 1 / 256.0f;
  auto crop = [](int64_t size, CropGrid grid, Channels channels, float scale, float shift) {
    return CropWarp{
        size, size, grid, false, channels, {scale, scale, scale}, {shift, shift, shift}};
  };
  static const Contract kPfld{"pfld98", LandmarkScheme::wflw98,
                              crop(112, CropGrid::centres, Channels::rgb, kTwo, -1)};
  static const Contract kStar{"star98", LandmarkScheme::wflw98,
                              crop(256, CropGrid::corners, Channels::bgr, kTwo, -1)};
  static const Contract kIbug{"ibug68", LandmarkScheme::ibug68,
                              crop(64, CropGrid::centres, Channels::grey, kGrey, 0)};
  switch (kind) {
    case LandmarkerKind::pfld98:
      return kPfld;
    case LandmarkerKind::star98:
      return kStar;
    case LandmarkerKind::ibug68:
      return kIbug;
  }
  return kPfld;
}

struct Loaded {
  Graph graph;
  std::string input, output;  ///< by name
};

/// The network alone, for `batch` faces at a time; 0: as the file says, which must be one.
/// bad_model where it is another.
Result<Loaded> load(const std::string& path, const Contract& contract,
                    const SessionOptions& options) {
  const int64_t faces = std::max<int64_t>(options.batch, 1);
  const Shape shape{faces, contract.crop.planes(), contract.crop.height, contract.crop.width};
  const auto numbers = static_cast<int64_t>(2 * point_count(contract.scheme));
  Result<LoadedGraph> loaded = load_graph(path, options.shapes, options.batch, options.fuse);
  if (!loaded) return as_bad_model(loaded.error());
  const Graph& graph = loaded->graph;
  std::string input = graph.inputs.size() == 1 ? graph.value(graph.inputs[0]).name : "";
  std::string has = fmt::format("{} inputs", graph.inputs.size());
  if (!input.empty()) {
    const Value& value = graph.value(graph.inputs[0]);
    has = fmt::format("{} {}", name_of(value.dtype), value.shape.str());
    if (value.dtype != DType::f32 || value.shape != shape) input.clear();
  }
  std::string output;
  for (ValueId v : graph.outputs) {
    const Value& value = graph.value(v);
    // The last that fits: exports of STAR may give the points of every stack, and heat maps.
    if (value.dtype == DType::f32 && value.shape.elements() == faces * numbers &&
        (faces == 1 || value.shape[0] == faces))
      output = value.name;
  }
  if (input.empty() || output.empty())
    return Error{Errc::bad_model,
                 fmt::format("{}: not a {} landmark network: needs one float input {} (has {}) and "
                             "an output of {} numbers{}",
                             path, contract.name, shape.str(), has, numbers,
                             output.empty() ? ", which is missing" : "")};
  return Loaded{std::move(loaded->graph), std::move(input), std::move(output)};
}

}  // namespace

Result<std::unique_ptr<Landmarker>> Landmarker::open(const std::string& path, LandmarkerKind kind,
                                                     const SessionOptions& options,
                                                     std::shared_ptr<Picture> picture) {
  const Contract& contract = contract_of(kind);
  SessionOptions session = options;
  session.batch = picture->most_frames() > 1 ? static_cast<int64_t>(picture->most_frames()) : 0;
  Result<Loaded> loaded = load(path, contract, session);
  if (!loaded && session.batch > 0) {  // networks that hold their batch in constants: face by face
    session.batch = 0;
    loaded = load(path, contract, session);
  }
  if (!loaded) return loaded.error();
  VULTUS_TRY(
      PictureNetwork network,
      PictureNetwork::open(source_of(std::move(loaded->graph), path, session, {loaded->output}),
                           loaded->input, contract.crop, session, picture));
  return std::unique_ptr<Landmarker>(new Landmarker(std::move(network), path, kind,
                                                    std::move(loaded->output), std::move(session),
                                                    std::move(picture)));
}

Result<NetworkPart> Landmarker::part() const {
  const Contract& contract = contract_of(kind_);
  VULTUS_CHECK(file_.unchanged());
  VULTUS_TRY(Loaded loaded, load(file_.path(), contract, options_));
  return NetworkPart{std::move(loaded.graph), loaded.input, contract.crop, {loaded.output}};
}

FaceCrops Landmarker::squares() const {
  switch (kind_) {
    case LandmarkerKind::star98:
      return {FaceCrops::Side::shorter, static_cast<float>(kStarPerSide)};
    case LandmarkerKind::ibug68:
      return {FaceCrops::Side::height, 1};
    case LandmarkerKind::pfld98:
      break;
  }
  return {FaceCrops::Side::longer, 1};
}

Landmarker::Scale Landmarker::scale() const {
  // STAR: crop pixel 128 n + 127.5, and the middle of its 256 pixels is pixel 127.5.
  return kind_ == LandmarkerKind::star98 ? Scale{0.5, 0} : Scale{1, -0.5};
}

LandmarkScheme Landmarker::scheme() const {
  return contract_of(kind_).scheme;
}

Square Landmarker::square(const Box& box) const {
  switch (kind_) {
    case LandmarkerKind::star98:
      return square_of_shorter_side(box);
    case LandmarkerKind::ibug68:
      return square_of_height(box);
    case LandmarkerKind::pfld98:
      break;
  }
  return square_of_longer_side(box);
}

Result<Landmarks> Landmarker::measure(const cv::Mat& bgr, const Box& box) {
  VULTUS_CHECK(picture_->show(bgr));
  const Face face{0, box};
  VULTUS_TRY(std::vector<Landmarks> found, measure(std::span(&face, 1)));
  return std::move(found.front());
}

Result<std::vector<Landmarks>> Landmarker::measure(std::span<const Face> faces) {
  std::vector<Landmarks> found;
  const auto batch = static_cast<size_t>(network_.batch());
  for (; !faces.empty(); faces = faces.subspan(std::min(batch, faces.size())))
    VULTUS_CHECK(run_pass(faces.first(std::min(batch, faces.size())), found));
  return found;
}

Result<void> Landmarker::run_pass(std::span<const Face> faces, std::vector<Landmarks>& found) {
  auto rounded = [this](const Face& face) { return square(face.box).rounded(); };
  std::vector<CropRectangle> rectangles;
  for (const Face& face : faces)
    rectangles.push_back(rounded(face).rectangle(face.frame));
  rectangles.resize(static_cast<size_t>(network_.batch()), rectangles.back());
  VULTUS_CHECK(network_.run(rectangles));
  VULTUS_TRY(const Tensor* output, network_.session().output(output_name_));
  const size_t numbers = 2 * point_count(scheme());
  for (size_t i = 0; i < faces.size(); ++i) {
    VULTUS_TRY(Landmarks points,
               points_of(output->as<float>().subspan(i * numbers, numbers), rounded(faces[i])));
    found.push_back(std::move(points));
  }
  return {};
}

Result<Landmarks> Landmarker::points_of(std::span<const float> values, const Square& square) const {
  const Contract& contract = contract_of(kind_);
  Landmarks landmarks{contract.scheme, {}};
  landmarks.points.reserve(values.size() / 2);
  const auto [gain, bias] = scale();
  for (size_t i = 0; i + 1 < values.size(); i += 2) {
    Point value(static_cast<double>(values[i]), static_cast<double>(values[i + 1]));
    if (!std::isfinite(value.x) || !std::isfinite(value.y))
      return Error{Errc::internal,
                   fmt::format("landmarks: {} gave a value that is not a number", contract.name)};
    landmarks.points.push_back(square.centre + (value * gain + Point(bias, bias)) * square.side);
  }
  return landmarks;
}

}  // namespace vultus::face
