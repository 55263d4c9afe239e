#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace vultus {

// Of points with members x and y: FaceMirrors and the landmark smoother compute the same.

/// The origin where there are no points.
template <class Point>
Point mean_of(std::span<const Point> points) {
  if (points.empty()) return {};
  double x = 0, y = 0;
  for (const Point& p : points) {
    x += p.x;
    y += p.y;
  }
  const auto n = static_cast<double>(points.size());
  return {x / n, y / n};
}

/// x' = (c x - s y) + tx, y' = (s x + c y) + ty: turns, scales and moves, never mirrors.
struct Similarity {
  double c = 1, s = 0, tx = 0, ty = 0;
  template <class Point>
  Point operator()(const Point& p) const {
    return {c * p.x - s * p.y + tx, s * p.x + c * p.y + ty};
  }
};

/// Least squares over all points; both sets have the same number of them. The shift alone when
/// `from` is one point.
template <class Point>
Similarity fit_similarity(std::span<const Point> from, std::span<const Point> to) {
  const Point a = mean_of(from), b = mean_of(to);
  double spread = 0, dot = 0, cross = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    const Point u{from[i].x - a.x, from[i].y - a.y}, v{to[i].x - b.x, to[i].y - b.y};
    spread += u.x * u.x + u.y * u.y;
    dot += u.x * v.x + u.y * v.y;
    cross += u.x * v.y - u.y * v.x;
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

/// Carries the smoothed points along as the measured ones went since `before`, then takes of each
/// one's change the part `slowest` where it is none, all of it from `whole` pixels on.
template <class Point>
void smooth_points(std::span<const Point> before, std::span<const Point> measured, double slowest,
                   double whole, std::span<Point> smoothed) {
  const Similarity carry = fit_similarity(before, measured);
  for (size_t i = 0; i < measured.size(); ++i) {
    const Point carried = carry(smoothed[i]);
    const Point change{measured[i].x - carried.x, measured[i].y - carried.y};
    const double part = whole > 0 ? std::min(1.0, std::hypot(change.x, change.y) / whole) : 1;
    const double weight = slowest + (1 - slowest) * part * part;
    smoothed[i] = {carried.x + change.x * weight, carried.y + change.y * weight};
  }
}

}  // namespace vultus
