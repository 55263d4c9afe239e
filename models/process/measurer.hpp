#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "models/face/landmark_tracker.hpp"
#include "models/face/multitask.hpp"
#include "models/face/stage_times.hpp"
#include "models/measure/anatomy.hpp"
#include "models/pack/pack.hpp"
#include "models/process/record.hpp"
#include "models/video/reader.hpp"

namespace vultus {

/// The networks of a pack, loaded. Without a multitask network there are no action units.
struct Networks {
  std::shared_ptr<face::Picture> picture;  ///< of them all
  std::unique_ptr<face::Detector> detector;
  std::unique_ptr<face::Landmarker> landmarker;
  std::unique_ptr<face::Multitask> multitask;
  std::unique_ptr<face::FaceChain> chain;  ///< of all three, where a GPU has them; else null

  /// Landmarks and action units are measured in up to `frames` frames together.
  static Result<Networks> open(const Pack& pack, SessionOptions session, size_t frames = 1);
  Transfers transfers() const;  ///< of all and of pictures, since they were opened
};

/// Makes the records of one input's frames.
class Measurer {
 public:
  /// All outlive it. `times` gets the tracker's stages, "blur" and "expression".
  Measurer(Networks& networks, const face::TrackerOptions& options, face::StageTimes* times,
           measure::Sides sides = {})
      : networks_(networks),
        options_(options),
        times_(times),
        sides_(sides),
        tracker_(*networks.detector, *networks.landmarker, options, times, networks.chain.get()) {}

  /// The next frames of a video, in order, all of one size and no more than `frames_at_once` for
  /// it.
  Result<std::vector<FrameRecord>> push(std::span<const Frame> frames);
  size_t frames_at_once(cv::Size size) const { return networks_.picture->most_frames(size); }
  /// A picture alone, searched as a whole.
  Result<FrameRecord> measure_picture(const cv::Mat& bgr);

  /// The most faces that a search of a whole frame has found.
  size_t most_faces() const { return std::max(most_faces_, tracker_.most_faces()); }

  /// All that later frames of a video depend on.
  face::LandmarkTracker::State state() const { return tracker_.state(); }
  void restore(face::LandmarkTracker::State state) { tracker_.restore(std::move(state)); }

 private:
  void add_expressions(FaceRecord& face, std::optional<face::Expressions> measured) const;
  Result<void> add_faces(std::span<const cv::Mat> pictures,
                         std::vector<std::vector<face::TrackedFace>> faces,
                         std::vector<std::optional<face::Expressions>> known,
                         std::span<FrameRecord* const> records);

  Networks& networks_;
  face::TrackerOptions options_;
  face::StageTimes* times_;
  measure::Sides sides_;
  face::LandmarkTracker tracker_;
  size_t most_faces_ = 0;
};

}  // namespace vultus
