#pragma once

#include <map>
#include <span>
#include <vector>

#include "models/face/landmarker.hpp"
#include "models/face/smoothing.hpp"
#include "models/face/tracked_face.hpp"
#include "models/face/tracker.hpp"

namespace vultus::face {

/// The faces of a video with their smoothed landmarks, a window of frames at a time. Where the
/// tracker looks does not depend on landmarks: so it goes first, through all frames of the window,
/// then all landmarks are measured together, then they are smoothed in the order of the frames.
class LandmarkTracker {
 public:
  /// `times` may be null: the tracker's stages, "landmarks" and "smooth" are added to it.
  LandmarkTracker(Detector& detector, Landmarker& landmarker, const TrackerOptions& options,
                  StageTimes* times = nullptr)
      : tracker_(detector, options, times),
        detector_(detector),
        landmarker_(landmarker),
        options_(options),
        times_(times) {}

  /// The faces of each of the next frames, as `Tracker::push` orders them, without those whose
  /// points are not plausible. The frames, no more than the networks' picture has room for, are
  /// then what it shows.
  Result<std::vector<std::vector<TrackedFace>>> push(std::span<const cv::Mat> frames);
  size_t most_faces() const { return tracker_.most_faces(); }  ///< as the tracker's

  /// All that later frames depend on: one with the same options that is given it goes on as this
  /// one would have.
  struct State {
    Tracker::State tracker;
    std::map<int, LandmarkSmoother> smoothers;  ///< by the id of the track
  };
  State state() const { return {tracker_.state(), smoothers_}; }
  void restore(State state);

 private:
  std::vector<TrackedFace> smooth(std::span<const TrackedBox> boxes, std::span<Landmarks> measured);

  Tracker tracker_;
  Detector& detector_;
  Landmarker& landmarker_;
  TrackerOptions options_;
  StageTimes* times_;
  std::map<int, LandmarkSmoother> smoothers_;
};

/// Whether points look like a face inside this box: they spread over a fair part of it and their
/// middle lies in it.
bool plausible(const Landmarks& landmarks, const Box& box);

}  // namespace vultus::face
