#include "models/face/tracker.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <opencv2/imgproc.hpp>

#include "host/ops/faces.hpp"
#include "models/face/nms.hpp"

namespace vultus::face {

namespace {

/// Mean difference of 64x36 grey thumbnails (0..255). Cuts between similar scenes: 17 and more;
/// the fastest hand or camera motion seen: 9.
constexpr double kCutDifference = 12;
constexpr double kCutAgainstUsual = 2.5;

/// Of two tracks of this overlap one is of no face of its own.
constexpr double kOneFace = 0.5;

FacePlace place_of(const Detection& face) {
  FacePlace place{{face.box.x1, face.box.y1, face.box.x2, face.box.y2}, {}};
  if (face.has_points) {
    auto to = place.points.emplace().begin();
    for (const Point& p : face.points) {
      *to++ = p.x;
      *to++ = p.y;
    }
  }
  return place;
}

bool same(const Detection& a, const Detection& b) {
  return iou(a.box, b.box) > kSameFace;
}

/// Of those that overlap it, the one of most likeness.
const Detection* best_match(const std::vector<Detection>& detections, const Detection& before) {
  const Detection* best = nullptr;
  double most = -1;
  for (const Detection& detection : detections) {
    if (!same(detection, before)) continue;
    if (double found = likeness(place_of(detection), place_of(before)); found > most) {
      most = found;
      best = &detection;
    }
  }
  return best;
}

/// A face that a track may go on with.
struct Match {
  size_t track;
  Detection face;
  double likeness;
};

Match match(size_t track, const Detection& face, const Detection& before) {
  return {track, face, likeness(place_of(face), place_of(before))};
}

/// Those of most likeness, best first: each track goes on with one face, each face with one track.
std::vector<Match> share_out(std::vector<Match> matches) {
  std::ranges::stable_sort(matches, std::greater(), &Match::likeness);
  std::vector<Match> given;
  for (Match& match : matches)
    if (std::ranges::none_of(given, [&](const Match& other) {
          return other.track == match.track || iou(other.face.box, match.face.box) > kOneFace;
        }))
      given.push_back(std::move(match));
  return given;
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
    faces_.push_back({track.id, track.face, track.anew});
}

/// Faces that overlap it.
Result<std::vector<Detection>> Tracker::detect_near(const Detection& before) {
  StageTimes::Timer timer(times_, "detect");
  const SearchArea area = area_around(size(), before.box);
  if ((cv::Rect(area.x, area.y, area.side, area.side) & cv::Rect({}, size())).empty())
    return std::vector<Detection>();
  VULTUS_TRY(std::vector<Detection> found, detector_.search(frame_, area));
  std::erase_if(found, [&](const Detection& d) { return !same(d, before); });
  return found;
}

Result<void> Tracker::follow(const std::optional<Detection>* followed) {
  std::vector<Match> matches;
  for (size_t t = 0; t < tracks_.size(); ++t) {
    Track& track = tracks_[t];
    track.lost = true;
    track.anew = false;
    std::vector<Detection> found;
    if (!followed) {
      VULTUS_TRY(found, detect_near(track.face));
    } else if (*followed) {
      found.push_back(**followed);
    }
    for (const Detection& face : found)
      matches.push_back(match(t, face, track.face));
  }
  for (Match& best : share_out(std::move(matches)))
    if (usable(best.face.box, size())) {
      tracks_[best.track].face = best.face;
      tracks_[best.track].lost = false;
    }
  return {};
}

/// The box comes from the region even when the whole frame found the face: boxes of the two differ
/// by a few pixels, and landmarks would jump at every search.
Result<void> Tracker::adopt(const Detection& detection, Track& track) {
  VULTUS_TRY(std::vector<Detection> near, detect_near(detection));
  const Detection* better = best_match(near, detection);
  const bool found = better && iou(better->box, detection.box) > kOneFace;
  track.face = found && usable(better->box, size()) ? *better : detection;
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
  // Something that the whole frame does not call a face, while it does find another, was a mistake.
  if (!options_.all_faces && !tracks_.empty() && !found.empty() &&
      !best_match(found, tracks_.front().face))
    tracks_.clear();
  auto drop_known = [&](const Track& track, double overlap) {
    std::erase_if(found, [&](const Detection& d) { return iou(d.box, track.face.box) > overlap; });
  };
  for (const Track& track : tracks_)
    if (!track.lost) drop_known(track, kOneFace);
  std::vector<Match> matches;
  for (size_t t = 0; t < tracks_.size(); ++t)
    for (const Detection& face : found)
      if (tracks_[t].lost && same(face, tracks_[t].face))
        matches.push_back(match(t, face, tracks_[t].face));
  for (const Match& best : share_out(std::move(matches)))
    VULTUS_CHECK(adopt(best.face, tracks_[best.track]));
  std::erase_if(tracks_, [](const Track& track) { return track.lost; });
  for (const Track& track : tracks_)
    drop_known(track, kSameFace);
  while (!found.empty() && (options_.all_faces || tracks_.empty())) {
    Track track;
    track.id = next_id_++;
    VULTUS_CHECK(adopt(found.front(), track));
    found.erase(found.begin());
    drop_known(track, kSameFace);
    tracks_.push_back(std::move(track));
  }
  return {};
}

void Tracker::drop_doubles() {
  for (size_t i = 0; i < tracks_.size(); ++i)
    for (size_t j = tracks_.size(); j-- > i + 1;)
      if (iou(tracks_[i].face.box, tracks_[j].face.box) > kOneFace)
        tracks_.erase(tracks_.begin() + static_cast<std::ptrdiff_t>(j));
}

Result<std::vector<TrackedBox>> Tracker::push(size_t frame,
                                              const std::optional<Detection>* followed) {
  frame_ = frame;
  if (cuts_.push(detector_.picture().bgr(frame))) tracks_.clear();
  bool search_now = tracks_.empty() || ++since_search_ >= options_.search_every;
  VULTUS_CHECK(follow(tracks_.size() == 1 ? followed : nullptr));
  search_now |= std::ranges::any_of(tracks_, &Track::lost);
  if (search_now) VULTUS_CHECK(search());
  drop_doubles();
  note_faces();
  return faces_;
}

}  // namespace vultus::face
