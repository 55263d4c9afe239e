#include "models/face/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "host/graph/extend.hpp"
#include "host/run/load.hpp"

namespace vultus::face {

namespace {

/// Frames of up to 4096 x 2304, or as many of 1920 x 1080 as may be shown; more are rare, and cost
/// a new plan of every network.
constexpr int64_t kUsualBytes = int64_t{4096} * 2304 * 3, kUsualFrame = int64_t{1920} * 1080 * 3;
/// The least maxStorageBufferRange that Vulkan allows.
constexpr int64_t kMostBytes = int64_t{1} << 27;
constexpr const char *kRectangles = "vultus.rectangles", *kMirrors = "vultus.mirrors";

int64_t bytes_in(cv::Size size) {
  return picture_bytes(size.height, size.width);
}

int64_t usual_bytes(size_t most_frames) {
  return std::clamp(static_cast<int64_t>(most_frames) * kUsualFrame, kUsualBytes, kMostBytes);
}

std::string_view name_of(CropWarp::Channels channels) {
  switch (channels) {
    case CropWarp::Channels::rgb:
      return "rgb";
    case CropWarp::Channels::grey:
      return "grey";
    case CropWarp::Channels::bgr:
      break;
  }
  return "bgr";
}

}  // namespace

Node crop_node(const CropWarp& crop) {
  const auto planes = static_cast<std::ptrdiff_t>(crop.planes());
  Node node;
  node.name = "vultus.crop";
  node.op = "CropWarp";
  node.attributes = {
      {"height", crop.height},
      {"width", crop.width},
      {"grid", std::string(crop.grid == CropGrid::centres ? "centres" : "corners")},
      {"filter", std::string(crop.area ? "area" : "bilinear")},
      {"channels", std::string(name_of(crop.channels))},
      {"scale", std::vector<float>(crop.scale.begin(), crop.scale.begin() + planes)},
      {"shift", std::vector<float>(crop.shift.begin(), crop.shift.begin() + planes)}};
  return node;
}

namespace {

void keep_outputs(Graph& graph, const std::vector<std::string>& names) {
  std::erase_if(graph.outputs, [&](ValueId v) {
    return std::ranges::find(names, graph.value(v).name) == names.end();
  });
  graph.compact();
}

}  // namespace

OpenedFile::OpenedFile(std::string path) : path_(std::move(path)), state_(state_of(path_)) {}

/// All zero where there is none.
OpenedFile::State OpenedFile::state_of(const std::string& path) {
  std::error_code error;
  const auto time = std::filesystem::last_write_time(path, error);
  const auto size = std::filesystem::file_size(path, error);
  if (error) return {};
  return {time, size};
}

Result<void> OpenedFile::unchanged() const {
  if (state_of(path_) == state_) return {};
  return Error{Errc::bad_model,
               path_ + ": the file has changed since the program began to use it; start again"};
}

GraphSource source_of(Graph graph, const std::string& path, const SessionOptions& options,
                      std::vector<std::string> outputs) {
  keep_outputs(graph, outputs);
  return [outputs = std::move(outputs),
          first = std::make_shared<std::optional<Graph>>(std::move(graph)), file = OpenedFile(path),
          shapes = options.shapes, batch = options.batch, fuse = options.fuse]() -> Result<Graph> {
    if (*first) {
      Graph given = std::move(**first);
      first->reset();
      return given;
    }
    VULTUS_CHECK(file.unchanged());
    VULTUS_TRY(LoadedGraph loaded, load_graph(file.path(), shapes, batch, fuse));
    keep_outputs(loaded.graph, outputs);
    return std::move(loaded.graph);
  };
}

Picture::Picture(size_t most_frames)
    : most_frames_(std::max<size_t>(most_frames, 1)),
      bytes_(std::make_shared<SharedBytes>(usual_bytes(most_frames_))) {}

size_t Picture::most_frames(cv::Size size) const {
  const int64_t fit = kMostBytes / std::max<int64_t>(bytes_in(size), 1);
  return std::clamp<size_t>(static_cast<size_t>(fit), 1, most_frames_);
}

Result<void> Picture::show(std::span<const cv::Mat> bgr) {
  if (bgr.empty() || bgr.size() > most_frames_)
    return Error{Errc::usage,
                 fmt::format("{} frames were given to networks that look at 1 to {} at once",
                             bgr.size(), most_frames_)};
  for (const cv::Mat& frame : bgr)
    if (frame.empty() || frame.type() != CV_8UC3 || frame.size() != bgr.front().size())
      return Error{Errc::usage,
                   "the networks look at 8-bit BGR pictures of one size: convert them first"};
  frames_.clear();
  std::vector<std::span<const std::byte>> parts;
  const int64_t each = bytes_in(bgr.front().size());
  for (const cv::Mat& frame : bgr) {
    frames_.push_back(frame.isContinuous() ? frame : frame.clone());
    parts.push_back(std::as_bytes(std::span(frames_.back().data, static_cast<size_t>(each))));
  }
  const int64_t bytes = each * static_cast<int64_t>(parts.size());
  if (bytes > bytes_->shape()[0]) {
    before_ += bytes_->transfers();
    bytes_ = std::make_shared<SharedBytes>(bytes);
  }
  return bytes_->set(parts);
}

Transfers Picture::transfers() const {
  Transfers sum = before_;
  return sum += bytes_->transfers();
}

PictureSession::PictureSession(Source source, const SessionOptions& options,
                               std::shared_ptr<Picture> picture, Session session)
    : source_(std::move(source)),
      options_(options),
      picture_(std::move(picture)),
      bytes_(picture_->bytes()),
      session_(std::move(session)),
      size_(DType::i32, {2}) {}

Result<Session> PictureSession::load(const Source& source, SessionOptions options,
                                     const Picture& picture) {
  VULTUS_TRY(Graph graph, source(picture.bytes()->shape()));
  options.shared = {{kPictureBytes, picture.bytes()}};
  return Session::from_graph(std::move(graph), options);
}

Result<PictureSession> PictureSession::open(Source source, const SessionOptions& options,
                                            std::shared_ptr<Picture> picture) {
  VULTUS_TRY(Session session, load(source, options, *picture));
  return PictureSession(std::move(source), options, std::move(picture), std::move(session));
}

Result<Session*> PictureSession::ready() {
  if (bytes_ != picture_->bytes()) {  // a larger frame than any before lies elsewhere
    VULTUS_TRY(Session larger, load(source_, options_, *picture_));
    before_ += session_.transfers();
    session_ = std::move(larger);
    bytes_ = picture_->bytes();
  }
  size_.as<int32_t>()[0] = picture_->size().height;
  size_.as<int32_t>()[1] = picture_->size().width;
  VULTUS_CHECK(session_.set_input(kPictureSize, size_.view()));
  return &session_;
}

Transfers PictureSession::transfers() const {
  Transfers sum = before_;
  return sum += session_.transfers();
}

PictureNetwork::PictureNetwork(PictureSession session, bool mirrored, int64_t batch)
    : session_(std::move(session)),
      mirrored_(mirrored),
      rectangles_(DType::f32, {batch, 5}),
      mirrors_(DType::f32, {batch, 5}) {}

Result<PictureNetwork> PictureNetwork::open(GraphSource source, const std::string& input,
                                            const CropWarp& crop, const SessionOptions& options,
                                            std::shared_ptr<Picture> picture) {
  return open(std::move(source), input, crop, false, options, std::move(picture));
}

Result<PictureNetwork> PictureNetwork::open_mirrored(GraphSource source, const std::string& input,
                                                     const CropWarp& crop,
                                                     const SessionOptions& options,
                                                     std::shared_ptr<Picture> picture) {
  return open(std::move(source), input, crop, true, options, std::move(picture));
}

Result<PictureNetwork> PictureNetwork::open(GraphSource source, const std::string& input,
                                            const CropWarp& crop, bool mirrored,
                                            const SessionOptions& options,
                                            std::shared_ptr<Picture> picture) {
  auto behind_crops = [source = std::move(source), input, crop,
                       mirrored](const Shape& bytes) -> Result<Graph> {
    VULTUS_TRY(Graph graph, source());
    const ValueId given = graph.find(input);
    const int64_t batch =
        given == kNoValue || graph.shape(given).rank() == 0 ? 0 : graph.shape(given)[0];
    std::vector<GraphInput> inputs{{kPictureBytes, DType::u8, bytes},
                                   {kPictureSize, DType::i32, {2}},
                                   {kRectangles, DType::f32, {batch, 5}}};
    if (mirrored) inputs.push_back({kMirrors, DType::f32, {batch, 5}});
    VULTUS_CHECK(put_before(graph, input, crop_node(crop), inputs));
    return graph;
  };
  VULTUS_TRY(PictureSession session,
             PictureSession::open(std::move(behind_crops), options, std::move(picture)));
  VULTUS_TRY(const Value* rectangles, session.session().describe(kRectangles));
  const int64_t batch = rectangles->shape[0];
  return PictureNetwork(std::move(session), mirrored, batch);
}

Result<void> PictureNetwork::run(std::span<const CropRectangle> rectangles,
                                 std::span<const MirrorLine> mirrors) {
  if (static_cast<int64_t>(rectangles.size()) != batch() ||
      mirrors.size() != (mirrored_ ? rectangles.size() : 0))
    return Error{Errc::internal, "a network was given more or fewer crops than its batch"};
  const size_t frames = session_.picture().frames();
  if (std::ranges::any_of(rectangles, [&](const CropRectangle& r) { return r.picture >= frames; }))
    return Error{Errc::usage, "a network was asked for a frame that is not shown: show it first"};
  VULTUS_TRY(Session * session, session_.ready());
  float* to = rectangles_.as<float>().data();
  for (const CropRectangle& r : rectangles)
    for (double v : {r.x, r.y, r.width, r.height, double(r.picture)})
      *to++ = static_cast<float>(v);
  to = mirrors_.as<float>().data();
  for (const MirrorLine& line : mirrors)
    for (double v : {line.x, line.y, line.normal_x, line.normal_y, double(line.side)})
      *to++ = static_cast<float>(v);
  VULTUS_CHECK(session->set_input(kRectangles, rectangles_.view()));
  if (mirrored_) VULTUS_CHECK(session->set_input(kMirrors, mirrors_.view()));
  return session->run();
}

}  // namespace vultus::face
