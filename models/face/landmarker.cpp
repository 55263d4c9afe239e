#include "models/face/landmarker.hpp"

#include <fmt/format.h>

#include <array>
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

}  // namespace

Result<std::unique_ptr<Landmarker>> Landmarker::open(const std::string& path, LandmarkerKind kind,
                                                     const SessionOptions& options,
                                                     std::shared_ptr<Picture> picture) {
  const Contract& contract = contract_of(kind);
  const Shape shape{1, contract.crop.planes(), contract.crop.height, contract.crop.width};
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
    if (value.dtype == DType::f32 && value.shape.elements() == numbers) output = value.name;
  }
  if (input.empty() || output.empty())
    return Error{Errc::bad_model,
                 fmt::format("{}: not a {} landmark network: needs one float input {} (has {}) and "
                             "an output of {} numbers{}",
                             path, contract.name, shape.str(), has, numbers,
                             output.empty() ? ", which is missing" : "")};
  VULTUS_TRY(PictureNetwork network,
             PictureNetwork::open(source_of(std::move(loaded->graph), path, options), input,
                                  contract.crop, options, picture));
  return std::unique_ptr<Landmarker>(
      new Landmarker(std::move(network), kind, std::move(output), std::move(picture)));
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
  return measure(box);
}

Result<Landmarks> Landmarker::measure(const Box& box) {
  const Contract& contract = contract_of(kind_);
  const Square square = this->square(box).rounded();
  VULTUS_CHECK(network_.run(std::array{square.rectangle()}));
  VULTUS_TRY(const Tensor* output, network_.session().output(output_name_));
  std::span<const float> values = output->as<float>();

  Landmarks landmarks{contract.scheme, {}};
  landmarks.points.reserve(values.size() / 2);
  const double scale = square.side / static_cast<double>(contract.crop.width);
  for (size_t i = 0; i + 1 < values.size(); i += 2) {
    Point value(static_cast<double>(values[i]), static_cast<double>(values[i + 1]));
    if (!std::isfinite(value.x) || !std::isfinite(value.y))
      return Error{Errc::internal,
                   fmt::format("landmarks: {} gave a value that is not a number", contract.name)};
    // STAR: crop pixel 128 n + 127.5, and the crop's middle is pixel 127.5.
    Point offset = kind_ == LandmarkerKind::star98 ? value * (128.0 * scale)
                                                   : (value - Point(0.5, 0.5)) * square.side;
    landmarks.points.push_back(square.centre + offset);
  }
  return landmarks;
}

}  // namespace vultus::face
