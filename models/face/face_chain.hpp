#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/face/detection.hpp"
#include "models/face/landmarker.hpp"
#include "models/face/multitask.hpp"
#include "models/face/smoothing.hpp"

namespace vultus::face {

/// Follows one face through as many frames as the picture shows at once, in one submission to one
/// GPU: in every frame it is looked for near where it was in the one before, then the landmarks of
/// all frames are measured, then the action units of the face and of its mirrored halves. What one
/// network finds goes to the next on the device. One thread at a time.
class FaceChain {
 public:
  struct Face {
    Detection detection;
    Landmarks landmarks;                     ///< as measured
    std::optional<Expressions> expressions;  ///< nothing without the network or outside the frame
  };

  /// The networks, which it reads anew, outlive it; `multitask` may be null. `session` as theirs.
  FaceChain(const Detector& detector, const Landmarker& landmarker, const Multitask* multitask,
            SessionOptions session, std::shared_ptr<Picture> picture);

  /// Whether `follow` can be: the picture shows as many frames as it can, the networks take as many
  /// faces, and the whole is one partition on a GPU. The first time, and when larger frames come,
  /// it is compiled. That depends on networks and device alone; what else goes wrong is an error,
  /// so that a run that is taken up goes the way of the one that was stopped.
  Result<bool> available();
  /// Why it is not; empty before `available` was asked and where it is.
  const std::string& why_not() const { return why_not_; }
  /// How the networks are run, a sentence for reports; empty before `available` was asked.
  std::string how() const;
  /// The face that was this one in the frame before the first and was smoothed to that state: in
  /// the frames shown, until it is lost or the networks give no numbers. Errc::usage when it is not
  /// available.
  Result<std::vector<Face>> follow(const Detection& before, const LandmarkSmoother::State& state);
  Transfers transfers() const { return session_ ? before_ + session_->transfers() : before_; }

 private:
  Result<Graph> graph(const Shape& picture_bytes) const;
  Result<void> compile();
  Result<void> set_inputs(Session& session, const Detection& before,
                          const LandmarkSmoother::State& state);
  Result<Face> face_of(const Session& session, size_t frame, std::span<const float> row) const;

  const Detector& detector_;
  const Landmarker& landmarker_;
  const Multitask* multitask_;
  SessionOptions options_;
  std::shared_ptr<Picture> picture_;
  size_t frames_;
  std::optional<PictureSession> session_;
  Transfers before_;  ///< of sessions that were replaced
  std::string why_not_;
  Tensor face_, region_, state_;
};

}  // namespace vultus::face
