#include "models/face/landmark_tracker.hpp"

#include <algorithm>
#include <iterator>
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
    const bool seen = plausible(measured[i], box.face.box);
    if (box.anew || !seen) smoother.reset();
    if (seen)
      faces.push_back({box.id, box.face.score, box.face.box,
                       options_.smooth ? smoother.push(measured[i]) : std::move(measured[i])});
  }
  return faces;
}

/// Nothing where no face was followed alone so far.
Result<std::vector<FaceChain::Face>> LandmarkTracker::follow() {
  const TrackedBox* face = tracker_.only_face();
  if (!chain_ || !face) return std::vector<FaceChain::Face>();
  VULTUS_TRY(const bool available, chain_->available());
  if (!available) return std::vector<FaceChain::Face>();
  StageTimes::Timer timer(times_, "follow");
  const auto smoother = smoothers_.find(face->id);
  return chain_->follow(face->face, smoother == smoothers_.end() ? LandmarkSmoother::State{}
                                                                 : smoother->second.state());
}

/// Leaves in `chained` the faces that the tracker took.
Result<std::vector<std::vector<TrackedBox>>> LandmarkTracker::track(
    size_t frames, std::vector<FaceChain::Face>& chained) {
  std::vector<std::vector<TrackedBox>> boxes;
  size_t taken = 0;
  for (size_t i = 0; i < frames; ++i) {
    // The chain ends where it lost the face: whether it is there is for the tracker to look.
    const bool offered = taken == i && i < chained.size();
    if (!offered) {
      VULTUS_TRY(std::vector<TrackedBox> found, tracker_.push(i));
      boxes.push_back(std::move(found));
      continue;
    }
    const Detection& face = chained[i].detection;
    VULTUS_TRY(std::vector<TrackedBox> found, tracker_.push(i, face));
    const TrackedBox* only = tracker_.only_face();
    if (only && !only->anew && only->face.box == face.box) ++taken;
    boxes.push_back(std::move(found));
  }
  chained.resize(taken);
  return boxes;
}

Result<std::vector<std::vector<TrackedFace>>> LandmarkTracker::push(
    std::span<const cv::Mat> frames) {
  VULTUS_CHECK(detector_.picture().show(frames));
  if (&landmarker_.picture() != &detector_.picture())
    VULTUS_CHECK(landmarker_.picture().show(frames));
  VULTUS_TRY(std::vector<FaceChain::Face> chained, follow());
  VULTUS_TRY(std::vector<std::vector<TrackedBox>> boxes, track(frames.size(), chained));
  std::vector<Landmarks> measured;
  for (FaceChain::Face& face : chained)
    measured.push_back(std::move(face.landmarks));
  std::vector<Landmarker::Face> faces;
  for (size_t i = chained.size(); i < frames.size(); ++i)
    for (const TrackedBox& face : boxes[i])
      faces.push_back({i, face.face.box});
  if (!faces.empty()) {
    StageTimes::Timer timer(times_, "landmarks");
    VULTUS_TRY(std::vector<Landmarks> rest, landmarker_.measure(faces));
    std::ranges::move(rest, std::back_inserter(measured));
  }
  StageTimes::Timer timer(measured.empty() ? nullptr : times_, "smooth");
  std::vector<std::vector<TrackedFace>> found;
  std::span<Landmarks> rest(measured);
  expressions_.clear();
  for (size_t i = 0; i < boxes.size(); ++i) {
    found.push_back(smooth(boxes[i], rest.first(boxes[i].size())));
    rest = rest.subspan(boxes[i].size());
    // Behind a face that was not taken for one the halves are those of other midlines.
    if (expressions_.size() == i && i < chained.size() && !found[i].empty())
      expressions_.push_back(std::move(chained[i].expressions));
  }
  return found;
}

}  // namespace vultus::face
