#include "models/face/smoothing.hpp"

#include "host/ops/smooth_points.hpp"

namespace vultus::face {

Landmarks LandmarkSmoother::push(const Landmarks& measured) {
  if (measured.empty()) {
    reset();
    return measured;
  }
  if (!state_.previous || state_.previous->points.size() != measured.points.size()) {
    state_.smoothed = measured;
  } else {
    smooth_points<Point>(state_.previous->points, measured.points, kSlowest,
                         kExpression * eye_distance(measured), state_.smoothed.points);
  }
  state_.previous = measured;
  return state_.smoothed;
}

}  // namespace vultus::face
