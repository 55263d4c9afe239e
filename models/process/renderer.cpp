#include "models/process/renderer.hpp"

#include <fmt/format.h>

#include <utility>

#include "models/face/mirror.hpp"
#include "models/face/overlay.hpp"
#include "models/measure/measured.hpp"
#include "models/process/guard.hpp"

namespace vultus {

using face::StageTimes;

namespace {

/// Why the first face is not to be trusted in this frame.
std::string warning_of(const FrameRecord& record, cv::Size picture) {
  if (record.damaged) return "not decoded";
  if (record.faces.empty()) return {};
  const FaceRecord& face = record.faces.front();
  const auto pose = measure::head_pose(face.face.landmarks, measure::Camera::assumed(picture),
                                       measure::kUsualPupilDistance);
  return measure::quality_of(face, pose, picture, record.faces.size()).text();
}

}  // namespace

cv::Mat draw_faces(const cv::Mat& bgr, const FrameRecord& record, const measure::Sides& sides) {
  face::Overlay overlay;
  overlay.mirrored_input = sides.mirrored_input;
  std::optional<double> score;
  if (!record.faces.empty()) score = record.faces.front().face.score;
  overlay.header = face::overlay_header(record.frame, record.seconds.value_or(0), score);
  overlay.warning = warning_of(record, bgr.size());
  if (record.faces.empty()) return face::draw_overlay(bgr, overlay);
  cv::Mat drawn = bgr;
  for (const FaceRecord& measured : record.faces) {
    const face::TrackedFace& face = measured.face;
    overlay.box = face.box;
    overlay.landmarks = face.landmarks;
    overlay.midline = face::midline_of(face.landmarks);
    drawn = face::draw_overlay(drawn, overlay);
    overlay.header.clear();
    overlay.warning.clear();
  }
  return drawn;
}

std::vector<std::string> Renderer::files(const Options& options) {
  std::vector<std::string> files;
  if (options.mirror) files = {"left_mirrored.mp4", "right_mirrored.mp4"};
  if (options.overlay) files.emplace_back("overlay.mp4");
  return files;
}

Result<std::unique_ptr<Renderer>> Renderer::create(const Options& options, const VideoInfo& source,
                                                   StageTimes* times,
                                                   const std::vector<int64_t>& lengths,
                                                   int64_t frames) {
  std::unique_ptr<Renderer> renderer(new Renderer(times));
  renderer->mirror_ = options.mirror;
  renderer->sides_ = options.sides;
  const WriterOptions writing = WriterOptions::like(source);
  const std::vector<std::string> names = files(options);
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string path = options.folder + "/" + names[i];
    VULTUS_TRY(VideoWriter writer, lengths.empty()
                                       ? VideoWriter::create(path, writing)
                                       : VideoWriter::resume(path, writing, lengths[i]));
    if (writer.frames() != frames)
      return Error{Errc::mismatch,
                   fmt::format("{}: {} pictures of {} are there", path, writer.frames(), frames)};
    renderer->encoders_.push_back(Encoder::create(std::move(writer), times));
  }
  renderer->thread_ = std::thread([raw = renderer.get()] { raw->work(); });
  return renderer;
}

Renderer::~Renderer() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

bool Renderer::push(Frame frame, FrameRecord record) {
  return queue_.push({std::move(frame), std::move(record), nullptr});
}

std::shared_ptr<Mark> Renderer::mark(int64_t frames) {
  auto mark = std::make_shared<Mark>(frames, encoders_.size());
  if (!queue_.push({{}, {}, mark})) mark->fail();
  return mark;
}

bool Renderer::render(const Job& job) {
  if (job.mark) {
    for (size_t i = 0; i < encoders_.size(); ++i)
      encoders_[i]->mark(job.mark, i);
    return true;
  }
  const Frame& frame = job.frame;
  auto push = [&](size_t encoder, const cv::Mat& picture) {
    return encoders_[encoder]->push(picture, frame.pts, frame.duration);
  };
  if (mirror_) {
    face::MirroredPair pair;
    {
      StageTimes::Timer timer(times_, "mirror");
      // The landmarks are smooth already; averaging midlines over frames would trail the head.
      std::optional<face::Midline> midline;
      if (!job.record.faces.empty())
        midline = face::midline_of(job.record.faces.front().face.landmarks);
      face::mirror_both(frame.bgr, midline, pair);
      sides_.to_subject(pair.left, pair.right);
    }
    if (!push(0, pair.left) || !push(1, pair.right)) return false;
  }
  if (const size_t overlay = mirror_ ? 2 : 0; encoders_.size() > overlay) {
    cv::Mat drawn;
    {
      StageTimes::Timer timer(times_, "overlay");
      drawn = draw_faces(frame.bgr, job.record, sides_);
    }
    if (!push(overlay, drawn)) return false;
  }
  return true;
}

void Renderer::work() {
  while (std::optional<Job> job = queue_.pop()) {
    bool going_on = false;
    if (failure_)
      failure_ = guarded([&]() -> Result<void> {
        going_on = render(*job);
        return {};
      });
    if (going_on) continue;
    queue_.close();
    if (job->mark) job->mark->fail();
  }
}

Result<void> Renderer::finish() {
  queue_.close();
  thread_.join();
  Result<void> first = failure_;
  for (auto& encoder : encoders_)
    if (Result<void> finished = encoder->finish(); !finished && first) first = finished;
  return first;
}

}  // namespace vultus
