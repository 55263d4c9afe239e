#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "host/ops/attribute_types.hpp"
#include "host/ops/faces.hpp"
#include "host/ops/smooth_points.hpp"

namespace vultus {

namespace {

struct Point {
  double x = 0, y = 0;
};

double eye_distance(const FaceMirrors& m, std::span<const Point> points) {
  auto eye = [&](size_t k) {
    return mean_of(
        points.subspan(static_cast<size_t>(m.eyes[k]), static_cast<size_t>(m.eyes[k + 1])));
  };
  const Point a = eye(0), b = eye(2);
  return std::hypot(a.x - b.x, a.y - b.y);
}

struct State {
  std::span<Point> measured, before, smoothed;  ///< of the present and the frame before
  bool valid = false;
};

void smooth(const FaceMirrors& m, State& state) {
  const std::span<const Point> measured = state.measured;
  if (state.valid)
    smooth_points<Point>(state.before, measured, double{m.slowest},
                         double{m.expression} * eye_distance(m, measured), state.smoothed);
  else
    std::ranges::copy(measured, state.smoothed.begin());
  std::ranges::copy(measured, state.before.begin());
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
