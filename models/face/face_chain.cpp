#include "models/face/face_chain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "host/graph/extend.hpp"
#include "host/ops/faces.hpp"
#include "models/face/midline.hpp"
#include "models/face/tracker.hpp"

namespace vultus::face {

namespace {

constexpr const char *kFace = "vultus.face", *kRegion = "vultus.region", *kState = "vultus.state",
                     *kSquares = "vultus.squares";

constexpr auto kPictures = static_cast<size_t>(kFacePictures);

std::string face_name(size_t frame) {
  return fmt::format("{}.{}", kFace, frame + 1);
}

Node node(const char* op, std::map<std::string, Attribute, std::less<>> attributes) {
  Node made;
  made.op = op;
  made.attributes = std::move(attributes);
  return made;
}

Node follow_node() {
  return node("FaceFollow", {{"pixels", int64_t{Detector::kAreaPixels}},
                             {"overlap", static_cast<float>(kSameFace)},
                             {"per_side", kRegionPerSide},
                             {"smallest", kSmallestRegion}});
}

Node crops_node(const FaceCrops& crops) {
  const char* side = crops.side == FaceCrops::Side::shorter  ? "shorter"
                     : crops.side == FaceCrops::Side::longer ? "longer"
                                                             : "height";
  return node("FaceCrops", {{"side", std::string(side)}, {"per_side", crops.per_side}});
}

template <size_t n>
std::vector<int64_t> integers(const std::array<size_t, n>& values) {
  return {values.begin(), values.end()};
}

Node mirrors_node(const Landmarker& landmarker) {
  const KeyPoints& key = key_points(landmarker.scheme());
  const auto [gain, bias] = landmarker.scale();
  return node("FaceMirrors", {{"points", static_cast<int64_t>(point_count(landmarker.scheme()))},
                              {"gain", static_cast<float>(gain)},
                              {"bias", static_cast<float>(bias)},
                              {"slowest", static_cast<float>(kSlowest)},
                              {"expression", static_cast<float>(kExpression)},
                              {"eyes", integers(key.eyes)},
                              {"middle", integers(key.middle)}});
}

/// A graph that grows from the frames to the results.
struct Growing {
  Graph graph;
  ValueId bytes = kNoValue, size = kNoValue;

  ValueId input(const char* name, DType dtype, const Shape& shape) {
    graph.inputs.push_back(graph.add_value(name, dtype, shape));
    return graph.inputs.back();
  }
  /// A network behind the crops that it looks at; its outputs, in the order of `part.outputs`.
  Result<std::vector<ValueId>> look(const NetworkPart& part, const std::string& name,
                                    std::vector<ValueId> rectangles) {
    rectangles.insert(rectangles.begin(), {bytes, size});
    VULTUS_TRY(std::vector<ValueId> crop,
               append(graph, crop_node(part.crop), rectangles, name + ".crop"));
    VULTUS_CHECK(append(graph, part.graph, name + ".", {{part.input, crop[0]}}));
    std::vector<ValueId> outputs;
    for (const std::string& output : part.outputs)
      outputs.push_back(graph.find(name + "." + output));
    return outputs;
  }
};

/// As FaceFollow has them.
void put_row(const Detection& face, std::span<float> row) {
  const Box& box = face.box;
  std::ranges::copy(std::array{box.x1, box.y1, box.x2, box.y2, face.score, 1.0}, row.begin());
  for (size_t k = 0; k < face.points.size(); ++k) {
    row[6 + 2 * k] = static_cast<float>(face.points[k].x);
    row[7 + 2 * k] = static_cast<float>(face.points[k].y);
  }
}

Detection detection_of(std::span<const float> row) {
  Detection face;
  face.box = {double{row[0]}, double{row[1]}, double{row[2]}, double{row[3]}};
  face.score = double{row[4]};
  face.has_points = true;
  for (size_t k = 0; k < face.points.size(); ++k)
    face.points[k] = {double{row[6 + 2 * k]}, double{row[7 + 2 * k]}};
  return face;
}

bool one_gpu_partition(const Session& session) {
  const Plan& plan = session.plan();
  return plan.partitions.size() == 1 && plan.partitions[0].device->info().kind == DeviceKind::gpu;
}

}  // namespace

FaceChain::FaceChain(const Detector& detector, const Landmarker& landmarker,
                     const Multitask* multitask, SessionOptions session,
                     std::shared_ptr<Picture> picture)
    : detector_(detector),
      landmarker_(landmarker),
      multitask_(multitask),
      options_(std::move(session)),
      picture_(std::move(picture)),
      frames_(picture_->most_frames()),
      face_(DType::f32, {1, kFaceRow}),
      region_(DType::f32, {1, 5}),
      state_(DType::f32, {1 + 2 * static_cast<int64_t>(point_count(landmarker.scheme())), 2}) {}

Result<Graph> FaceChain::graph(const Shape& picture_bytes) const {
  VULTUS_TRY(std::optional<NetworkPart> detector, detector_.area_part());
  if (!detector) return Error{Errc::usage, "the detector's faces are decoded on the host"};
  Growing all;
  all.graph.name = "detector, landmarks" + std::string(multitask_ ? ", action units" : "");
  all.bytes = all.input(kPictureBytes, DType::u8, picture_bytes);
  all.size = all.input(kPictureSize, DType::i32, {2});
  ValueId face = all.input(kFace, DType::f32, {1, kFaceRow});
  ValueId region = all.input(kRegion, DType::f32, {1, 5});
  std::vector<ValueId> faces{all.size}, outputs;
  for (size_t i = 0; i < frames_; ++i) {
    VULTUS_TRY(std::vector<ValueId> rows,
               all.look(*detector, fmt::format("detector.{}", i + 1), {region}));
    VULTUS_TRY(
        std::vector<ValueId> found,
        append(all.graph, follow_node(), {rows[0], region, face, all.size}, face_name(i), 2));
    face = found[0];
    region = found[1];
    faces.push_back(face);
    outputs.push_back(face);
  }
  VULTUS_TRY(std::vector<ValueId> crops,
             append(all.graph, crops_node(landmarker_.squares()), faces, kSquares, 2));
  outputs.push_back(crops[0]);
  VULTUS_TRY(NetworkPart landmarks, landmarker_.part());
  VULTUS_TRY(std::vector<ValueId> points, all.look(landmarks, "landmarks", {crops[0]}));
  outputs.push_back(points[0]);
  if (multitask_) {
    const ValueId state = all.input(kState, DType::f32, state_.shape());
    VULTUS_TRY(std::vector<ValueId> lines,
               append(all.graph, mirrors_node(landmarker_), {points[0], crops[0], crops[1], state},
                      "vultus.mirrors"));
    VULTUS_TRY(NetworkPart units, multitask_->part());
    VULTUS_TRY(std::vector<ValueId> found, all.look(units, "units", {crops[1], lines[0]}));
    outputs.insert(outputs.end(), found.begin(), found.end());
  }
  all.graph.outputs = outputs;
  all.graph.compact();
  return std::move(all.graph);
}

Result<void> FaceChain::compile() {
  const auto faces = static_cast<int64_t>(frames_);
  if (landmarker_.batch() != faces)
    return Error{Errc::usage, "the landmark network takes one face at a time"};
  if (multitask_ && (!multitask_->on_gpu() || multitask_->batch() != frames_ * kPictures))
    return Error{Errc::usage, "the network of action units takes one picture at a time"};
  VULTUS_TRY(PictureSession session,
             PictureSession::open([this](const Shape& bytes) { return graph(bytes); }, options_,
                                  picture_));
  if (!one_gpu_partition(session.session()))
    return Error{Errc::usage, "a GPU does not take all layers of the networks"};
  session_ = std::move(session);
  return {};
}

Result<bool> FaceChain::available() {
  if (picture_->frames() != frames_ || !why_not_.empty()) return false;
  if (session_ && session_->fits()) return true;
  if (session_) before_ += session_->transfers();
  session_.reset();
  const Result<void> compiled = compile();
  if (compiled) return true;
  const Error& error = compiled.error();
  if (error.code != Errc::usage && error.code != Errc::bad_model) return error;
  why_not_ = error.what;
  return false;
}

std::string FaceChain::how() const {
  if (!why_not_.empty()) return fmt::format("The networks ran one after another: {}.", why_not_);
  if (!session_) return {};
  return fmt::format("While one face was followed, the networks of {} ran in one submission.",
                     frames_ == 1 ? "a frame" : fmt::format("{} frames", frames_));
}

Result<void> FaceChain::set_inputs(Session& session, const Detection& before,
                                   const LandmarkSmoother::State& state) {
  put_row(before, face_.as<float>());
  const SearchArea area = area_around(picture_->size(), before.box);
  const double half = area.side / 2.0;
  std::ranges::copy(
      std::array{area.x + half, area.y + half, double(area.side), double(area.side), 0.0},
      region_.as<float>().begin());
  VULTUS_CHECK(session.set_input(kFace, face_.view()));
  VULTUS_CHECK(session.set_input(kRegion, region_.view()));
  if (!multitask_) return {};
  std::ranges::fill(state_.as<float>(), 0.0f);
  float* to = state_.as<float>().data();
  const size_t points = point_count(landmarker_.scheme());
  if (state.previous && state.previous->points.size() == points) {
    *to = 1;
    to += 2;
    for (const Landmarks* each : {&*state.previous, &state.smoothed})
      for (const Point& p : each->points) {
        *to++ = static_cast<float>(p.x);
        *to++ = static_cast<float>(p.y);
      }
  }
  return session.set_input(kState, state_.view());
}

Result<FaceChain::Face> FaceChain::face_of(const Session& session, size_t frame,
                                           std::span<const float> row) const {
  Face face;
  face.detection = detection_of(row);
  const size_t outputs = session.graph().outputs.size(), first = frames_;
  VULTUS_TRY(const Tensor* squares, session.output(kSquares));
  const auto square = squares->as<float>().subspan(5 * frame, 5);
  const size_t numbers = 2 * point_count(landmarker_.scheme());
  VULTUS_TRY(
      face.landmarks,
      landmarker_.points_of(session.output(first + 1).as<float>().subspan(numbers * frame, numbers),
                            {{double{square[0]}, double{square[1]}}, double{square[2]}}));
  if (!multitask_ || expression_area(face.detection.box, picture_->size()).empty()) return face;
  auto picture = [&](size_t k) {
    auto values = [&](size_t output, size_t each) {
      return session.output(outputs - 3 + output)
          .as<float>()
          .subspan((kPictures * frame + k) * each, each);
    };
    return expression_of(values(0, 8), values(1, 2), values(2, 8));
  };
  Expressions& all = face.expressions.emplace();
  VULTUS_TRY(all.whole, picture(0));
  VULTUS_TRY(all.left, picture(1));
  VULTUS_TRY(all.right, picture(2));
  return face;
}

Result<std::vector<FaceChain::Face>> FaceChain::follow(const Detection& before,
                                                       const LandmarkSmoother::State& state) {
  VULTUS_TRY(const bool can, available());
  if (!can)
    return Error{Errc::usage,
                 fmt::format("faces cannot be followed on the device: {}",
                             why_not_.empty() ? "too few frames are shown" : why_not_)};
  VULTUS_TRY(Session * session, session_->ready());
  VULTUS_CHECK(set_inputs(*session, before, state));
  VULTUS_CHECK(session->run());
  std::vector<Face> faces;
  for (size_t i = 0; i < frames_; ++i) {
    VULTUS_TRY(const Tensor* row, session->output(face_name(i)));
    const std::span<const float> numbers = row->as<float>();
    if (!(numbers[5] > 0)) break;
    // What is no number may be of a frame that does not count: the networks alone will tell.
    Result<Face> face = face_of(*session, i, numbers);
    if (!face) break;
    faces.push_back(*std::move(face));
  }
  return faces;
}

}  // namespace vultus::face
