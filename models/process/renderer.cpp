#include "models/process/renderer.hpp"

#include <utility>

#include "models/face/mirror.hpp"
#include "models/face/overlay.hpp"

namespace vultus {

using face::StageTimes;

cv::Mat draw_faces(const cv::Mat& bgr, const FrameRecord& record) {
  face::Overlay overlay;
  std::optional<double> score;
  if (!record.faces.empty()) score = record.faces.front().face.score;
  overlay.header = face::overlay_header(record.frame, record.seconds.value_or(0), score);
  if (record.faces.empty()) return face::draw_overlay(bgr, overlay);
  cv::Mat drawn = bgr;
  for (const auto& [face, whole, left, right] : record.faces) {
    overlay.box = face.box;
    overlay.landmarks = face.landmarks;
    overlay.midline = face::midline_of(face.landmarks);
    drawn = face::draw_overlay(drawn, overlay);
    overlay.header.clear();
  }
  return drawn;
}

Result<std::unique_ptr<Renderer>> Renderer::create(const Options& options, const VideoInfo& source,
                                                   StageTimes* times) {
  std::unique_ptr<Renderer> renderer(new Renderer(times));
  const WriterOptions writer = WriterOptions::like(source);
  auto open = [&](const char* name) {
    return Encoder::create(options.folder + "/" + name, writer, times);
  };
  if (options.mirror) {
    VULTUS_TRY(renderer->left_, open("left_mirrored.mp4"));
    VULTUS_TRY(renderer->right_, open("right_mirrored.mp4"));
  }
  if (options.overlay) {
    VULTUS_TRY(renderer->overlay_, open("overlay.mp4"));
  }
  renderer->thread_ = std::thread([raw = renderer.get()] { raw->work(); });
  return renderer;
}

Renderer::~Renderer() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

bool Renderer::push(Frame frame, FrameRecord record) {
  return queue_.push({std::move(frame), std::move(record)});
}

bool Renderer::render(const Job& job) {
  const Frame& frame = job.frame;
  if (left_ && right_) {
    face::MirroredPair pair;
    {
      StageTimes::Timer timer(times_, "mirror");
      // The landmarks are smooth already; averaging midlines over frames would trail the head.
      std::optional<face::Midline> midline;
      if (!job.record.faces.empty())
        midline = face::midline_of(job.record.faces.front().face.landmarks);
      face::mirror_both(frame.bgr, midline, pair);
    }
    if (!left_->push(pair.left, frame.pts, frame.duration) ||
        !right_->push(pair.right, frame.pts, frame.duration))
      return false;
  }
  if (overlay_) {
    cv::Mat drawn;
    {
      StageTimes::Timer timer(times_, "overlay");
      drawn = draw_faces(frame.bgr, job.record);
    }
    if (!overlay_->push(drawn, frame.pts, frame.duration)) return false;
  }
  return true;
}

void Renderer::work() {
  while (std::optional<Job> job = queue_.pop())
    if (!render(*job)) queue_.close();
}

Result<std::vector<Renderer::Written>> Renderer::finish() {
  queue_.close();
  thread_.join();
  std::vector<Written> written;
  for (auto& [encoder, name] :
       {std::pair{&left_, "left_mirrored.mp4"}, std::pair{&right_, "right_mirrored.mp4"},
        std::pair{&overlay_, "overlay.mp4"}}) {
    if (!*encoder) continue;
    VULTUS_TRY(WriteSummary summary, (*encoder)->finish());
    written.push_back({name, std::move(summary)});
  }
  return written;
}

}  // namespace vultus
