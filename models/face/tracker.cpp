#include "models/face/tracker.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "host/ops/faces.hpp"
#include "models/face/nms.hpp"

namespace vultus::face {

namespace {

/// Mean difference of 64x36 grey thumbnails (0..255). Cuts between similar scenes: 17 and more;
/// the fastest hand or camera motion seen: 9.
constexpr double kCutDifference = 12;
constexpr double kCutAgainstUsual = 2.5;

const Detection* best_match(const std::vector<Detection>& detections, const Box& box) {
  const Detection* best = nullptr;
  double best_overlap = kSameFace;
  for (const Detection& detection : detections)
    if (double overlap = iou(detection.box, box); overlap > best_overlap) {
      best_overlap = overlap;
      best = &detection;
    }
  return best;
}

/// The box of a followed face must be one that a region can be cut around.
bool usable(const Box& box, cv::Size frame) {
  const Point c = box.centre();
  return box.width() >= 1 && box.height() >= 1 && c.x >= 0 && c.y >= 0 && c.x < frame.width &&
         c.y < frame.height;
}

}  // namespace

SearchArea area_around(cv::Size frame, const Box& box) {
  const FaceFollow follow{.per_side = kRegionPerSide, .smallest = kSmallestRegion};
  const FaceRegion region = region_around(follow, {box.x1, box.y1, box.x2, box.y2},
                                          2.0 * std::max(frame.width, frame.height));
  return {static_cast<int>(region.left), static_cast<int>(region.top),
          static_cast<int>(region.side)};
}

bool CutDetector::push(const cv::Mat& bgr) {
  cv::Mat small, grey;
  // Nearest to a quarter first: an area average over every pixel of a large frame costs more than
  // it tells.
  const int shrink = std::max(1, bgr.cols / 256);
  const int shrink_down = std::min(shrink, bgr.rows);  // a row is left of a band
  cv::resize(bgr, small, {}, 1.0 / shrink, 1.0 / shrink_down, cv::INTER_NEAREST);
  cv::resize(small, small, {64, 36}, 0, 0, cv::INTER_AREA);
  cv::cvtColor(small, grey, cv::COLOR_BGR2GRAY);
  bool cut = false;
  if (!state_.thumbnail.empty()) {
    const double difference =
        cv::norm(grey, state_.thumbnail, cv::NORM_L1) / static_cast<double>(grey.total());
    cut = difference > kCutDifference && difference > kCutAgainstUsual * state_.usual;
    state_.usual = 0.8 * state_.usual + 0.2 * difference;
  }
  state_.thumbnail = grey;
  return cut;
}

void Tracker::restore(State state) {
  tracks_ = std::move(state.tracks);
  cuts_ = std::move(state.cuts);
  since_search_ = state.since_search;
  next_id_ = state.next_id;
  most_faces_ = state.most_faces;
  note_faces();
}

void Tracker::note_faces() {
  faces_.clear();
  for (const Track& track : tracks_)
    faces_.push_back({track.id, track.score, track.box, track.anew});
}

Result<std::optional<Detection>> Tracker::detect_near(const Box& box) {
  StageTimes::Timer timer(times_, "detect");
  const SearchArea area = area_around(size(), box);
  if ((cv::Rect(area.x, area.y, area.side, area.side) & cv::Rect({}, size())).empty())
    return std::optional<Detection>();
  VULTUS_TRY(std::vector<Detection> found, detector_.search(frame_, area));
  const Detection* match = best_match(found, box);
  if (!match || !usable(match->box, size())) return std::optional<Detection>();
  return std::optional<Detection>(*match);
}

Result<void> Tracker::follow(Track& track, const std::optional<Detection>* followed) {
  std::optional<Detection> found;
  if (followed) {
    found = *followed;
  } else {
    VULTUS_TRY(found, detect_near(track.box));
  }
  track.lost = !found;
  track.anew = false;
  if (found) {
    track.box = found->box;
    track.score = found->score;
  }
  return {};
}

/// The box comes from the region even when the whole frame found the face: boxes of the two differ
/// by a few pixels, and landmarks would jump at every search.
Result<void> Tracker::adopt(const Detection& detection, Track& track) {
  VULTUS_TRY(std::optional<Detection> near, detect_near(detection.box));
  const Detection& better = near ? *near : detection;
  track.box = better.box;
  track.score = better.score;
  track.lost = false;
  track.anew = true;
  return {};
}

Result<void> Tracker::search() {
  std::vector<Detection> found;
  {
    StageTimes::Timer timer(times_, "search");
    VULTUS_TRY(found, detector_.search(frame_));
  }
  since_search_ = 0;
  std::erase_if(found, [&](const Detection& d) { return !usable(d.box, size()); });
  most_faces_ = std::max(most_faces_, found.size());
  for (Track& track : tracks_) {
    if (!track.lost) continue;
    if (const Detection* match = best_match(found, track.box)) VULTUS_CHECK(adopt(*match, track));
  }
  std::erase_if(tracks_, [](const Track& track) { return track.lost; });
  // Something that the whole frame does not call a face, while it does find another, was a mistake.
  if (!options_.all_faces && !tracks_.empty() && !found.empty() &&
      !best_match(found, tracks_.front().box))
    tracks_.clear();
  for (const Detection& detection : found) {
    if (!options_.all_faces && !tracks_.empty()) break;
    bool known = std::any_of(tracks_.begin(), tracks_.end(), [&](const Track& track) {
      return iou(track.box, detection.box) > kSameFace;
    });
    if (known) continue;
    Track track;
    track.id = next_id_++;
    VULTUS_CHECK(adopt(detection, track));
    tracks_.push_back(std::move(track));
  }
  return {};
}

void Tracker::drop_doubles() {
  for (size_t i = 0; i < tracks_.size(); ++i)
    for (size_t j = tracks_.size(); j-- > i + 1;)
      if (iou(tracks_[i].box, tracks_[j].box) > 0.5)
        tracks_.erase(tracks_.begin() + static_cast<std::ptrdiff_t>(j));
}

Result<std::vector<TrackedBox>> Tracker::push(size_t frame,
                                              const std::optional<Detection>* followed) {
  frame_ = frame;
  if (cuts_.push(detector_.picture().bgr(frame))) tracks_.clear();
  bool search_now = tracks_.empty() || ++since_search_ >= options_.search_every;
  for (Track& track : tracks_) {
    VULTUS_CHECK(follow(track, tracks_.size() == 1 ? followed : nullptr));
    search_now |= track.lost;
  }
  if (search_now) VULTUS_CHECK(search());
  drop_doubles();
  note_faces();
  return faces_;
}

}  // namespace vultus::face
