#include "models/measure/measured.hpp"

#include <algorithm>
#include <deque>

#include "models/measure/sample.hpp"

namespace vultus::measure {

namespace {

constexpr std::array kSides{Side::left, Side::right};
// More than these are ended, the one longest unseen first: memory stays bounded.
constexpr size_t kOpenTracks = 64;

FaceMeasures measures_of(const FaceRecord& record, const MeasureOptions& options, size_t faces) {
  const face::TrackedFace& face = record.face;
  FaceMeasures measures;
  measures.pose =
      head_pose(face.landmarks, Camera::assumed(options.picture), options.pupil_distance_mm);
  measures.quality = quality_of(record, measures.pose, options.picture, faces);
  for (Side side : kSides)
    measures.eye(side).ear =
        eye_aspect_ratio(face.landmarks, options.sides.half(face.landmarks.scheme, side));
  return measures;
}

/// A track that may go on.
struct OpenTrack {
  Track track;
  BoundedSample left, right;

  void add(int64_t frame, const FaceMeasures& measures) {
    if (track.frames == 0) track.first = frame;
    track.last = frame;
    ++track.frames;
    if (!(measures.quality & kVoidsGeometry).any()) ++track.unflagged;
    if ((measures.quality & kVoidsEyes).any()) return;
    if (measures.left.ear) left.push(*measures.left.ear);
    if (measures.right.ear) right.push(*measures.right.ear);
  }
  Track end() {
    auto open = [](const BoundedSample& ears) -> std::optional<double> {
      if (ears.count() < kLeastFrames) return std::nullopt;
      return std::max(kLeastOpen, *ears.quantile(kOpenQuantile));
    };
    track.open_left = open(left);
    track.open_right = open(right);
    return track;
  }
};

/// Records whose blinks are not decided yet, and the stretches of closed eyes that hold them back.
class Lookahead {
 public:
  explicit Lookahead(const MeasuredVisitor& visit) : visit_(visit) {}

  Result<void> push(const FrameRecord& record, std::vector<FaceMeasures> faces) {
    waiting_.push_back({record, std::move(faces)});
    const Waiting& now = waiting_.back();
    for (auto it = closing_.begin(); it != closing_.end();)
      it = update(it->first, it->second) ? std::next(it) : closing_.erase(it);
    for (size_t i = 0; i < now.faces.size(); ++i)
      for (Side side : kSides)
        if (is_closing(now, i, side))
          closing_.try_emplace({record.faces[i].face.id, side}, Stretch{last(), *record.seconds});
    return release();
  }

  Result<void> finish() {
    closing_.clear();
    return release();
  }

 private:
  struct Waiting {
    FrameRecord record;
    std::vector<FaceMeasures> faces;
  };
  using Eye = std::pair<int, Side>;
  struct Stretch {
    int64_t first;  ///< number of the record that began it
    double seconds;
    bool is_long = false;
  };

  int64_t last() const { return first_ + static_cast<int64_t>(waiting_.size()) - 1; }

  static bool is_closing(const Waiting& waiting, size_t face, Side side) {
    const auto& closure = waiting.faces[face].eye(side).closure;
    return waiting.record.seconds && closure && *closure >= kClosing;
  }

  EyeMeasures* find(Waiting& waiting, const Eye& eye) {
    for (size_t i = 0; i < waiting.faces.size(); ++i)
      if (waiting.record.faces[i].face.id == eye.first) return &waiting.faces[i].eye(eye.second);
    return nullptr;
  }

  static void call_closed(EyeMeasures& eye) {
    eye.au43 = eye.closure;
    eye.au45 = 0;
  }

  /// Takes the newest record into a stretch; false when the stretch is over.
  bool update(const Eye& eye, Stretch& stretch) {
    Waiting& now = waiting_.back();
    EyeMeasures* measures = find(now, eye);
    const bool goes_on = measures && measures->closure && *measures->closure >= kClosing;
    if (now.record.seconds && *now.record.seconds - stretch.seconds >= kBlinkSeconds &&
        !stretch.is_long) {
      stretch.is_long = true;
      for (int64_t i = std::max(stretch.first, first_); i < last(); ++i)
        call_closed(*find(waiting_[static_cast<size_t>(i - first_)], eye));
    }
    if (goes_on && stretch.is_long) call_closed(*measures);
    return goes_on;
  }

  Result<void> release() {
    int64_t until = last() + 1;
    for (const auto& [eye, stretch] : closing_)
      if (!stretch.is_long) until = std::min(until, stretch.first);
    for (; first_ < until; ++first_) {
      VULTUS_CHECK(visit_(waiting_.front().record, waiting_.front().faces));
      waiting_.pop_front();
    }
    return {};
  }

  const MeasuredVisitor& visit_;
  std::deque<Waiting> waiting_;
  int64_t first_ = 0;  ///< number of the first record that waits
  std::map<Eye, Stretch> closing_;
};

void set_closure(EyeMeasures& eye, const std::optional<double>& open, bool timed) {
  if (!eye.ear || !open) return;
  eye.closure = eye_closure(*eye.ear, *open);
  if (!timed) return;
  eye.au45 = eye.closure;
  eye.au43 = 0;
}

}  // namespace

Result<Survey> survey(const RecordSource& source, const MeasureOptions& options) {
  Survey done;
  std::map<int, OpenTrack> open;
  VULTUS_CHECK(source([&](const FrameRecord& record) -> Result<void> {
    for (const FaceRecord& face : record.faces) {
      OpenTrack& track = open[face.face.id];
      track.add(record.frame, measures_of(face, options, record.faces.size()));
    }
    while (open.size() > std::max(kOpenTracks, record.faces.size())) {
      auto oldest = std::min_element(open.begin(), open.end(), [](const auto& a, const auto& b) {
        return a.second.track.last < b.second.track.last;
      });
      done[oldest->first] = oldest->second.end();
      open.erase(oldest);
    }
    return {};
  }));
  for (auto& [id, track] : open)
    done[id] = track.end();
  return done;
}

Result<void> for_each_measured(const RecordSource& source, const MeasureOptions& options,
                               const Survey& survey, const MeasuredVisitor& visit) {
  Lookahead lookahead(visit);
  VULTUS_CHECK(source([&](const FrameRecord& record) -> Result<void> {
    std::vector<FaceMeasures> faces;
    for (const FaceRecord& face : record.faces) {
      FaceMeasures measures = measures_of(face, options, record.faces.size());
      const auto track = survey.find(face.face.id);
      if (track != survey.end() && !(measures.quality & kVoidsEyes).any()) {
        set_closure(measures.left, track->second.open_left, record.seconds.has_value());
        set_closure(measures.right, track->second.open_right, record.seconds.has_value());
      }
      faces.push_back(measures);
    }
    return lookahead.push(record, std::move(faces));
  }));
  return lookahead.finish();
}

}  // namespace vultus::measure
