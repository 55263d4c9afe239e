#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "host/ops/attribute_types.hpp"
#include "host/ops/faces.hpp"

namespace vultus {

namespace {

struct Point {
  double x = 0, y = 0;
};

Point mean(std::span<const Point> points) {
  Point sum;
  for (const Point& p : points) {
    sum.x += p.x;
    sum.y += p.y;
  }
  const auto n = static_cast<double>(points.size());
  return {sum.x / n, sum.y / n};
}

/// (c x - s y) + tx, (s x + c y) + ty
struct Similarity {
  double c = 1, s = 0, tx = 0, ty = 0;
};

Similarity fit(std::span<const Point> from, std::span<const Point> to) {
  const Point a = mean(from), b = mean(to);
  double spread = 0, dot = 0, cross = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    const Point u{from[i].x - a.x, from[i].y - a.y}, v{to[i].x - b.x, to[i].y - b.y};
    spread += u.x * u.x + u.y * u.y;
    dot += u.x * v.x + u.y * v.y;
    cross += u.x * v.y - u.y * v.x;
  }
  Similarity t;
  if (spread > 0) {
    t.c = dot / spread;
    t.s = cross / spread;
  }
  t.tx = b.x - (t.c * a.x - t.s * a.y);
  t.ty = b.y - (t.s * a.x + t.c * a.y);
  return t;
}

double eye_distance(const FaceMirrors& m, std::span<const Point> points) {
  auto eye = [&](size_t k) {
    return mean(points.subspan(static_cast<size_t>(m.eyes[k]), static_cast<size_t>(m.eyes[k + 1])));
  };
  const Point a = eye(0), b = eye(2);
  return std::hypot(a.x - b.x, a.y - b.y);
}

struct State {
  std::span<Point> measured, before, smoothed;  ///< of the present and the frame before
  bool valid = false;
};

void smooth(const FaceMirrors& m, State& state) {
  if (!state.valid) {
    std::ranges::copy(state.measured, state.smoothed.begin());
  } else {
    const Similarity carry = fit(state.before, state.measured);
    const double whole = double{m.expression} * eye_distance(m, state.measured);
    for (size_t i = 0; i < state.measured.size(); ++i) {
      Point& p = state.smoothed[i];
      const Point carried{carry.c * p.x - carry.s * p.y + carry.tx,
                          carry.s * p.x + carry.c * p.y + carry.ty};
      const Point change{state.measured[i].x - carried.x, state.measured[i].y - carried.y};
      const double part = whole > 0 ? std::min(1.0, std::hypot(change.x, change.y) / whole) : 1;
      const double weight = double{m.slowest} + (1 - double{m.slowest}) * part * part;
      p = {carried.x + change.x * weight, carried.y + change.y * weight};
    }
  }
  std::ranges::copy(state.measured, state.before.begin());
  state.valid = true;
}

/// The two lines of a face about its midline, at the point nearest to the middle of its area.
void write_lines(const FaceMirrors& m, std::span<const Point> points, const float* area,
                 float* to) {
  std::fill(to, to + 5 * kFacePictures, 0.0f);
  auto at = [&](size_t k) { return points[static_cast<size_t>(m.middle[k])]; };
  const Point top{(at(0).x + at(1).x) / 2, (at(0).y + at(1).y) / 2}, chin = at(2);
  const double dx = chin.x - top.x, dy = chin.y - top.y, length = std::hypot(dx, dy);
  if (!(length >= 1) || !std::isfinite(length)) return;
  const double nx = -dy / length, ny = dx / length;
  const double x = double{area[0]}, y = double{area[1]};
  const double distance = (x - top.x) * nx + (y - top.y) * ny;
  for (int64_t k = 1; k < kFacePictures; ++k) {
    float* line = to + 5 * k;
    line[0] = static_cast<float>(x - distance * nx);
    line[1] = static_cast<float>(y - distance * ny);
    line[2] = static_cast<float>(nx);
    line[3] = static_cast<float>(ny);
    line[4] = k == 1 ? -1.0f : 1.0f;
  }
}

Result<void> run(Eval& node, const FaceMirrors& m) {
  const auto count = static_cast<size_t>(m.points);
  const std::span memory(reinterpret_cast<Point*>(node.scratch), 3 * count);
  State state{memory.first(count), memory.subspan(count, count), memory.last(count)};
  const auto given = node.in[3].as<const float>();
  state.valid = given[0] > 0;
  for (size_t i = 0; i < 2 * count; ++i)
    memory[count + i] = {double{given[2 + 2 * i]}, double{given[3 + 2 * i]}};
  const float* value = node.in[0].as<const float>().data();
  for (int64_t f = 0; f < node.in[1].shape[0]; ++f) {
    const float* square = node.in[1].as<const float>().data() + 5 * f;
    for (Point& p : state.measured) {
      p.x = double{square[0]} +
            (double{value[0]} * double{m.gain} + double{m.bias}) * double{square[2]};
      p.y = double{square[1]} +
            (double{value[1]} * double{m.gain} + double{m.bias}) * double{square[2]};
      value += 2;
    }
    smooth(m, state);
    write_lines(m, state.smoothed, node.in[2].as<const float>().data() + 5 * kFacePictures * f,
                node.out[0].as<float>().data() + 5 * kFacePictures * f);
  }
  return {};
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(4, 4));
  for (size_t i = 0; i < 4; ++i)
    VULTUS_CHECK(node.expect_type(i, {DType::f32}));
  VULTUS_TRY(FaceMirrors m, face_mirrors_of(node.node()));
  const int64_t faces = node.shape(1).rank() > 0 ? node.shape(1)[0] : 0;
  if (faces < 1 || node.shape(1) != Shape{faces, 5} ||
      node.shape(0).elements() != faces * 2 * m.points ||
      node.shape(2) != Shape{kFacePictures * faces, 5} ||
      node.shape(3) != Shape{1 + 2 * m.points, 2})
    return node.fail(
        fmt::format("points {}, squares {}, areas {} and state {} must be {} numbers for each "
                    "face, [faces,5], [{}*faces,5] and [{},2]",
                    node.shape(0).str(), node.shape(1).str(), node.shape(2).str(),
                    node.shape(3).str(), 2 * m.points, kFacePictures, 1 + 2 * m.points));
  return node.set(0, DType::f32, {kFacePictures * faces, 5});
}

Result<Prepared> prepare(const Eval& node) {
  VULTUS_TRY(FaceMirrors m, face_mirrors_of(node.node));
  return Prepared{[m](Eval& eval) { return run(eval, m); }, 3 * m.points * int64_t{sizeof(Point)}};
}

const Register face_mirrors({.name = "FaceMirrors",
                             .infer = infer,
                             .prepare = prepare,
                             .limits = "ours: smoothed midlines of a face, at most 128 points"});

template <size_t n>
Result<void> read_points(const Node& node, std::string_view key, std::array<int64_t, n>& to) {
  const std::vector<int64_t> values = node.integers(key);
  if (values.size() != n) return fail(node, fmt::format("{} must be {} integers", key, n));
  std::ranges::copy(values, to.begin());
  return {};
}

}  // namespace

Result<FaceMirrors> face_mirrors_of(const Node& node) {
  VULTUS_CHECK(expect_attribute<int64_t>(node, "points"));
  for (const char* key : {"gain", "bias", "slowest", "expression"})
    VULTUS_CHECK(expect_attribute<float>(node, key));
  FaceMirrors m;
  m.points = node.integer("points", 0);
  m.gain = node.real("gain", m.gain);
  m.bias = node.real("bias", m.bias);
  m.slowest = node.real("slowest", m.slowest);
  m.expression = node.real("expression", m.expression);
  if (m.points < 1 || m.points > kMostPoints)
    return fail(node, fmt::format("points {} must be 1 to {}", m.points, kMostPoints));
  VULTUS_CHECK(read_points(node, "eyes", m.eyes));
  VULTUS_CHECK(read_points(node, "middle", m.middle));
  bool inside = std::ranges::all_of(m.middle, [&](int64_t p) { return p >= 0 && p < m.points; });
  for (size_t k : {0, 2})
    inside = inside && m.eyes[k] >= 0 && m.eyes[k] < m.points && m.eyes[k + 1] >= 1 &&
             m.eyes[k + 1] <= m.points - m.eyes[k];
  if (!inside) return fail(node, fmt::format("eyes and middle must be of {} points", m.points));
  return m;
}

}  // namespace vultus
