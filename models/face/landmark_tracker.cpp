#include "models/face/landmark_tracker.hpp"

#include <algorithm>
#include <utility>

namespace vultus::face {

bool plausible(const Landmarks& landmarks, const Box& box) {
  const Box points = extent(landmarks);
  const double side = std::max(box.width(), box.height());
  const double spread = std::max(points.width(), points.height());
  const Point middle = mean(landmarks);
  return spread > 0.4 * side && spread < 2 * side && middle.x > box.x1 && middle.x < box.x2 &&
         middle.y > box.y1 && middle.y < box.y2;
}

void LandmarkTracker::restore(State state) {
  tracker_.restore(std::move(state.tracker));
  smoothers_ = std::move(state.smoothers);
}

std::vector<TrackedFace> LandmarkTracker::smooth(std::span<const TrackedBox> boxes,
                                                 std::span<Landmarks> measured) {
  // A track that is in a frame no more has ended.
  std::erase_if(smoothers_, [&](const auto& each) {
    return std::ranges::find(boxes, each.first, &TrackedBox::id) == boxes.end();
  });
  std::vector<TrackedFace> faces;
  for (size_t i = 0; i < boxes.size(); ++i) {
    const TrackedBox& box = boxes[i];
    LandmarkSmoother& smoother = smoothers_[box.id];
    const bool seen = plausible(measured[i], box.box);
    if (box.anew || !seen) smoother.reset();
    if (seen)
      faces.push_back({box.id, box.score, box.box,
                       options_.smooth ? smoother.push(measured[i]) : std::move(measured[i])});
  }
  return faces;
}

Result<std::vector<std::vector<TrackedFace>>> LandmarkTracker::push(
    std::span<const cv::Mat> frames) {
  VULTUS_CHECK(detector_.picture().show(frames));
  if (&landmarker_.picture() != &detector_.picture())
    VULTUS_CHECK(landmarker_.picture().show(frames));
  std::vector<std::vector<TrackedBox>> boxes(frames.size());
  std::vector<Landmarker::Face> faces;
  for (size_t i = 0; i < frames.size(); ++i) {
    VULTUS_TRY(boxes[i], tracker_.push(i));
    for (const TrackedBox& face : boxes[i])
      faces.push_back({i, face.box});
  }
  std::vector<Landmarks> measured;
  if (!faces.empty()) {
    StageTimes::Timer timer(times_, "landmarks");
    VULTUS_TRY(measured, landmarker_.measure(faces));
  }
  StageTimes::Timer timer(faces.empty() ? nullptr : times_, "smooth");
  std::vector<std::vector<TrackedFace>> found;
  std::span<Landmarks> rest(measured);
  for (const std::vector<TrackedBox>& in_frame : boxes) {
    found.push_back(smooth(in_frame, rest.first(in_frame.size())));
    rest = rest.subspan(in_frame.size());
  }
  return found;
}

}  // namespace vultus::face
