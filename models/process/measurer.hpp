#pragma once

#include <memory>
#include <optional>

#include "models/face/multitask.hpp"
#include "models/face/stage_times.hpp"
#include "models/face/tracker.hpp"
#include "models/measure/anatomy.hpp"
#include "models/pack/pack.hpp"
#include "models/process/record.hpp"
#include "models/video/reader.hpp"

namespace vultus {

/// The networks of a pack, loaded. Without a multitask network there are no action units.
struct Networks {
  std::shared_ptr<face::Picture> picture = std::make_shared<face::Picture>();  ///< of them all
  std::unique_ptr<face::Detector> detector;
  std::unique_ptr<face::Landmarker> landmarker;
  std::unique_ptr<face::Multitask> multitask;

  static Result<Networks> open(const Pack& pack, SessionOptions session);
  Transfers transfers() const;  ///< of all and of pictures, since they were opened
};

/// Makes the records of one input's frames.
class Measurer {
 public:
  /// All outlive it. `times` gets the tracker's stages and "expression".
  Measurer(Networks& networks, const face::TrackerOptions& options, face::StageTimes* times,
           measure::Sides sides = {})
      : networks_(networks),
        options_(options),
        times_(times),
        sides_(sides),
        tracker_(*networks.detector, *networks.landmarker, options, times) {}

  /// The next frame of a video, in order.
  Result<FrameRecord> push(const Frame& frame);
  /// A picture alone, searched as a whole.
  Result<FrameRecord> measure_picture(const cv::Mat& bgr);

  /// The most faces that a search of a whole frame has found.
  size_t most_faces() const { return std::max(most_faces_, tracker_.most_faces()); }

  /// All that later frames of a video depend on.
  face::Tracker::State state() const { return tracker_.state(); }
  void restore(face::Tracker::State state) { tracker_.restore(std::move(state)); }

 private:
  Result<void> add_face(face::TrackedFace face, FrameRecord& record);

  Networks& networks_;
  face::TrackerOptions options_;
  face::StageTimes* times_;
  measure::Sides sides_;
  face::Tracker tracker_;
  size_t most_faces_ = 0;
};

}  // namespace vultus
