#pragma once

#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "models/face/face_chain.hpp"
#include "models/face/landmarker.hpp"
#include "models/face/smoothing.hpp"
#include "models/face/tracked_face.hpp"
#include "models/face/tracker.hpp"

namespace vultus::face {

/// The faces of a video with their smoothed landmarks, a window of frames at a time. Where the
/// tracker looks does not depend on landmarks: so it goes first, through all frames of the window,
/// then all landmarks are measured together, then they are smoothed in the order of the frames. A
/// face that was followed alone so far goes through a FaceChain first, where there is one; the
/// tracker then says up to which frame it was right, and the rest is measured as said.
class LandmarkTracker {
 public:
  /// `times` may be null: the tracker's stages, "follow", "landmarks" and "smooth" are added to it.
  /// So may `chain`.
  LandmarkTracker(Detector& detector, Landmarker& landmarker, const TrackerOptions& options,
                  StageTimes* times = nullptr, FaceChain* chain = nullptr)
      : tracker_(detector, options, times),
        detector_(detector),
        landmarker_(landmarker),
        options_(options),
        times_(times),
        chain_(options.smooth ? chain : nullptr) {}

  /// The faces of each of the next frames, as `Tracker::push` orders them, without those whose
  /// points are not plausible. The frames, no more than the networks' picture has room for, are
  /// then what it shows.
  Result<std::vector<std::vector<TrackedFace>>> push(std::span<const cv::Mat> frames);
  /// What was measured along with the landmarks of the last window: of the only face of each of its
  /// first frames. Halves are those about `midline_of` the smoothed landmarks.
  std::vector<std::optional<Expressions>> take_expressions() {
    return std::exchange(expressions_, {});
  }
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
  Result<std::vector<FaceChain::Face>> follow();
  Result<std::vector<std::vector<TrackedBox>>> track(size_t frames,
                                                     std::vector<FaceChain::Face>& chained);
  std::vector<TrackedFace> smooth(std::span<const TrackedBox> boxes, std::span<Landmarks> measured);

  Tracker tracker_;
  Detector& detector_;
  Landmarker& landmarker_;
  TrackerOptions options_;
  StageTimes* times_;
  FaceChain* chain_;
  std::vector<std::optional<Expressions>> expressions_;
  std::map<int, LandmarkSmoother> smoothers_;
};

/// Whether points look like a face inside this box: they spread over a fair part of it and their
/// middle lies in it.
bool plausible(const Landmarks& landmarks, const Box& box);

}  // namespace vultus::face
