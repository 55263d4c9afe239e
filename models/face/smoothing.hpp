#pragma once

#include <optional>
#include <utility>

#include "models/face/landmarks.hpp"

namespace vultus::face {

// Chosen on a clip whose motion is known (points carried back through it wander 1.4 % of the eye
// distance as measured) and on four real signers. A plain average over five frames makes the first
// 40 %, because it trails the head; over five frames carried along, 1.29 %, but eyelids lose 12 %
// of their movement; these two numbers give 1.25 %, half the tremble, and no loss at the eyelids.
inline constexpr double kSlowest = 0.2;      ///< weight of the newest frame where nothing moves
inline constexpr double kExpression = 0.05;  ///< of the eye distance: a change that passes whole

/// Takes the tremble out of landmarks without making them late. What was smoothed so far is first
/// carried along with the head (the similarity between the last two measurements), so moving,
/// turning and nearing are followed at once; the difference that remains is noise where it is
/// small against the distance between the eyes, and is averaged, and expression where it is large,
/// and passes. One push per frame, in order.
class LandmarkSmoother {
 public:
  Landmarks push(const Landmarks& measured);
  /// Forgets; call when the face was lost and at a scene cut.
  void reset() { state_.previous.reset(); }

  /// All that later pushes depend on.
  struct State {
    std::optional<Landmarks> previous;  ///< as measured
    Landmarks smoothed;
  };
  const State& state() const { return state_; }
  void restore(State state) { state_ = std::move(state); }

 private:
  State state_;
};

}  // namespace vultus::face
