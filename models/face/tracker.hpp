#pragma once

#include <optional>
#include <vector>

#include "models/face/detection.hpp"
#include "models/face/stage_times.hpp"

namespace vultus::face {

/// Area around a face: twice its longer side, so that it may move by half its size between
/// frames; sampled at 192 pixels the face is 96 wide, where RetinaFace is at its best. Faces of
/// 12 pixels are followed at 0.99 this way that score 0.8 in the whole frame.
inline constexpr float kRegionPerSide = 2;
inline constexpr float kSmallestRegion = 96;
/// Two boxes that overlap less are two faces.
inline constexpr double kSameFace = 0.3;

/// The square that is searched for a face that was there; it may lie outside the frame.
SearchArea area_around(cv::Size frame, const Box& box);

struct TrackerOptions {
  int search_every = 10;   ///< frames between searches of the whole frame while a face is followed
  bool all_faces = false;  ///< else the one with the highest score, until it is lost
  bool smooth = true;      ///< landmarks; see LandmarkTracker
};

/// Where a face is in a frame, as in `TrackedFace`.
struct TrackedBox {
  int id = 0;
  Detection face;
  bool anew = false;  ///< not followed from the frame before: what was smoothed so far is of no use
};

/// Says when a frame belongs to another scene than the one before it.
class CutDetector {
 public:
  bool push(const cv::Mat& bgr);

  /// All that later pushes depend on.
  struct State {
    cv::Mat thumbnail;  ///< of the last frame, 8-bit grey; empty before the first
    double usual = 0;   ///< how much frames differ
  };
  const State& state() const { return state_; }
  void restore(State state) { state_ = std::move(state); }

 private:
  State state_;
};

/// Follows faces through a video, frame by frame in order. The whole frame is searched at the
/// start, at a scene cut, when a face is lost and every few frames; in between each face is
/// detected anew in a small region around where it was. Where several tracks could go on with a
/// face it goes to the one that it has most likeness with (`host/ops/faces.hpp`: box and points),
/// and a track that is left without one is lost: behind another face its number ends. (Deriving the
/// next box from the last landmarks was tried first and runs away: a landmark network fed a crop
/// that is off gives points that are off.)
class Tracker {
 public:
  /// `times` may be null: stages "search" and "detect" are added to it.
  Tracker(Detector& detector, const TrackerOptions& options, StageTimes* times = nullptr)
      : detector_(detector), options_(options), times_(times) {}

  /// The faces of the video's next frame, which the detector's picture shows as number `frame`,
  /// oldest track first; with one face at most one. A face that was lost and found again, or comes
  /// after a cut, has a new id: it may be another person.
  Result<std::vector<TrackedBox>> push(size_t frame) { return push(frame, nullptr); }
  /// The same where the one face was looked for near where it was already: `followed` says whether
  /// and where it was found. Not used where the frame begins another scene.
  Result<std::vector<TrackedBox>> push(size_t frame, const std::optional<Detection>& followed) {
    return push(frame, &followed);
  }
  /// The face of the last frame where there is one and no other.
  const TrackedBox* only_face() const { return faces_.size() == 1 ? &faces_.front() : nullptr; }
  /// The most faces that a search of a whole frame has found.
  size_t most_faces() const { return most_faces_; }

  struct Track {
    int id = 0;
    Detection face;
    bool lost = false;
    bool anew = true;  ///< in the last frame
  };
  /// All that later frames depend on: a tracker with the same options that is given it goes on as
  /// this one would have.
  struct State {
    std::vector<Track> tracks;
    CutDetector cuts;
    int since_search = 0;
    int next_id = 0;
    size_t most_faces = 0;
  };
  State state() const { return {tracks_, cuts_, since_search_, next_id_, most_faces_}; }
  void restore(State state);

 private:
  Result<std::vector<TrackedBox>> push(size_t frame, const std::optional<Detection>* followed);
  Result<void> follow(const std::optional<Detection>* followed);
  Result<std::vector<Detection>> detect_near(const Detection& before);
  Result<void> search();
  Result<void> adopt(const Detection& detection, Track& track);
  void drop_doubles();
  void note_faces();

  cv::Size size() { return detector_.picture().size(); }

  Detector& detector_;
  TrackerOptions options_;
  StageTimes* times_;
  size_t frame_ = 0;  ///< that is looked at
  CutDetector cuts_;
  std::vector<Track> tracks_;
  std::vector<TrackedBox> faces_;  ///< of the last frame
  int since_search_ = 0;
  int next_id_ = 0;
  size_t most_faces_ = 0;
};

}  // namespace vultus::face
