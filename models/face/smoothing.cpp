#include "models/face/smoothing.hpp"

#include <algorithm>
#include <cassert>
#include <opencv2/core.hpp>

namespace vultus::face {

Similarity fit_similarity(const Landmarks& from, const Landmarks& to) {
  assert(from.points.size() == to.points.size());
  const Point a = mean(from), b = mean(to);
  double spread = 0, dot = 0, cross = 0;
  for (size_t i = 0; i < from.points.size(); ++i) {
    const Point x = from[i] - a, y = to[i] - b;
    spread += x.dot(x);
    dot += x.dot(y);
    cross += x.cross(y);
  }
  Similarity fit;
  if (spread > 0) {
    fit.c = dot / spread;
    fit.s = cross / spread;
  }
  fit.tx = b.x - (fit.c * a.x - fit.s * a.y);
  fit.ty = b.y - (fit.s * a.x + fit.c * a.y);
  return fit;
}

Landmarks LandmarkSmoother::push(const Landmarks& measured) {
  if (measured.empty()) {
    reset();
    return measured;
  }
  if (!state_.previous || state_.previous->points.size() != measured.points.size()) {
    state_.smoothed = measured;
  } else {
    const Similarity carry = fit_similarity(*state_.previous, measured);
    const double whole = kExpression * eye_distance(measured);
    for (size_t i = 0; i < measured.points.size(); ++i) {
      const Point carried = carry(state_.smoothed[i]);
      const Point change = measured[i] - carried;
      double part = whole > 0 ? std::min(1.0, cv::norm(change) / whole) : 1;
      double weight = kSlowest + (1 - kSlowest) * part * part;
      state_.smoothed.points[i] = carried + change * weight;
    }
  }
  state_.previous = measured;
  return state_.smoothed;
}

}  // namespace vultus::face
