#include "models/face/landmarker.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "models/face/role.hpp"

namespace vultus::face {

namespace {

/// What a kind of network expects and gives.
struct Contract {
  std::string_view name;
  int size;
  LandmarkScheme scheme;
  CropGrid grid;
  CropFormat format;
};

const Contract& contract_of(LandmarkerKind kind) {
  using Channels = CropFormat::Channels;
  constexpr float kTwo = 1 / 127.5f, kGrey = 1 / 256.0f;
  static const Contract kPfld{"pfld98",
                              112,
                              LandmarkScheme::wflw98,
                              CropGrid::centres,
                              {Channels::rgb, {kTwo, kTwo, kTwo}, {-1, -1, -1}}};
  static const Contract kStar{"star98",
                              256,
                              LandmarkScheme::wflw98,
                              CropGrid::corners,
                              {Channels::bgr, {kTwo, kTwo, kTwo}, {-1, -1, -1}}};
  static const Contract kIbug{"ibug68",
                              64,
                              LandmarkScheme::ibug68,
                              CropGrid::centres,
                              {Channels::grey, {kGrey, kGrey, kGrey}, {0, 0, 0}}};
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

Landmarker::Landmarker(Session session, LandmarkerKind kind, std::string input, std::string output)
    : session_(std::move(session)),
      kind_(kind),
      input_name_(std::move(input)),
      output_name_(std::move(output)) {
  const Contract& contract = contract_of(kind);
  input_ = Tensor(DType::f32, {1, static_cast<int64_t>(contract.format.planes()), contract.size,
                               contract.size});
}

Result<std::unique_ptr<Landmarker>> Landmarker::open(const std::string& path, LandmarkerKind kind,
                                                     const SessionOptions& options) {
  const Contract& contract = contract_of(kind);
  const Shape shape{1, static_cast<int64_t>(contract.format.planes()), contract.size,
                    contract.size};
  const auto numbers = static_cast<int64_t>(2 * point_count(contract.scheme));
  Result<Session> loaded = Session::load(path, options);
  if (!loaded) return as_bad_model(loaded.error());
  Session session = std::move(loaded).value();
  std::vector<std::string> inputs = session.input_names();
  std::string input = inputs.size() == 1 ? inputs[0] : "";
  std::string has = fmt::format("{} inputs", inputs.size());
  if (!input.empty()) {
    VULTUS_TRY(const Value* value, session.describe(input));
    has = fmt::format("{} {}", name_of(value->dtype), value->shape.str());
    if (value->dtype != DType::f32 || value->shape != shape) input.clear();
  }
  std::string output;
  for (const std::string& name : session.output_names()) {
    VULTUS_TRY(const Value* value, session.describe(name));
    // The last that fits: exports of STAR may give the points of every stack, and heat maps.
    if (value->dtype == DType::f32 && value->shape.elements() == numbers) output = name;
  }
  if (input.empty() || output.empty())
    return Error{Errc::bad_model,
                 fmt::format("{}: not a {} landmark network: needs one float input {} (has {}) and "
                             "an output of {} numbers{}",
                             path, contract.name, shape.str(), has, numbers,
                             output.empty() ? ", which is missing" : "")};
  return std::unique_ptr<Landmarker>(
      new Landmarker(std::move(session), kind, std::move(input), std::move(output)));
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
  if (bgr.empty() || bgr.type() != CV_8UC3)
    return Error{Errc::usage, "landmarks: the picture must be 8-bit BGR"};
  const Contract& contract = contract_of(kind_);
  const Square square = this->square(box);
  crop(bgr, square, contract.size, contract.grid, contract.format, input_.as<float>());
  VULTUS_CHECK(session_.set_input(input_name_, input_.view()));
  VULTUS_CHECK(session_.run());
  VULTUS_TRY(const Tensor* output, session_.output(output_name_));
  std::span<const float> values = output->as<float>();

  Landmarks landmarks{contract.scheme, {}};
  landmarks.points.reserve(values.size() / 2);
  const double scale = square.side / contract.size;
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
