#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "host/ops/attribute_types.hpp"
#include "host/ops/faces.hpp"
#include "host/ops/retinaface_decode.hpp"

namespace vultus {

using Corners = std::array<double, 4>;

namespace {

/// A region can be cut around it.
bool usable(const Corners& box, double height, double width) {
  const double x = (box[0] + box[2]) / 2, y = (box[1] + box[3]) / 2;
  return box[2] - box[0] >= 1 && box[3] - box[1] >= 1 && x >= 0 && y >= 0 && x < width &&
         y < height;
}

constexpr size_t kPoints = 6;  ///< where they begin in a row of ours

FacePlace place_of(std::span<const float> box, std::span<const float> points) {
  FacePlace place;
  std::copy_n(box.begin(), 4, place.box.begin());
  std::copy_n(points.begin(), 10, place.points.emplace().begin());
  return place;
}

/// From pixels of the region as the detector saw it.
void to_frame(std::span<double> coordinates, const FaceRegion& region, double scale) {
  for (size_t k = 0; k < coordinates.size(); ++k)
    coordinates[k] = (coordinates[k] + 0.5) * scale - 0.5 + (k % 2 == 0 ? region.left : region.top);
}

struct Best {
  FacePlace place;
  float score = 0;
};

/// Of the rows, in pixels of the frame; the first of equal ones.
std::optional<Best> best_of(std::span<const float> rows, const FaceRegion& region, double pixels,
                            const FacePlace& before, double overlap) {
  std::optional<Best> best;
  double most = -1;
  for (; !rows.empty() && rows[kRetinaFaceRow - 1] >= 0; rows = rows.subspan(kRetinaFaceRow)) {
    FacePlace place = place_of(rows, rows.subspan(5));
    to_frame(place.box, region, region.side / pixels);
    to_frame(*place.points, region, region.side / pixels);
    if (!(overlap_of(place.box, before.box) > overlap)) continue;
    if (const double found = likeness(place, before); found > most) {
      most = found;
      best = {place, rows[4]};
    }
  }
  return best;
}

Result<void> run(Eval& node, const FaceFollow& follow) {
  const auto size = node.in[3].as<const int32_t>();
  const double height = size[0], width = size[1];
  const auto given = node.in[1].as<const float>(), before = node.in[2].as<const float>();
  const FaceRegion region{double{given[0]} - double{given[2]} / 2,
                          double{given[1]} - double{given[2]} / 2, double{given[2]}};
  const bool inside = region.left < width && region.top < height && region.left + region.side > 0 &&
                      region.top + region.side > 0;
  const FacePlace was = place_of(before, before.subspan(kPoints));
  std::optional<Best> best;
  if (before[5] > 0 && inside)
    best = best_of(node.in[0].as<const float>(), region, static_cast<double>(follow.pixels), was,
                   double{follow.overlap});
  const bool found = best && usable(best->place.box, height, width);
  auto face = node.out[0].as<float>(), next = node.out[1].as<float>();
  std::ranges::copy(before, face.begin());
  face[5] = found ? 1.0f : 0.0f;
  if (found) {
    auto rounded = [](double v) { return static_cast<float>(v); };
    std::ranges::transform(best->place.box, face.begin(), rounded);
    std::ranges::transform(*best->place.points, face.begin() + kPoints, rounded);
    face[4] = best->score;
  }
  const FaceRegion around =
      region_around(follow, place_of(face, face.subspan(kPoints)).box, 2 * std::max(height, width));
  next[0] = static_cast<float>(around.left + around.side / 2);
  next[1] = static_cast<float>(around.top + around.side / 2);
  next[2] = next[3] = static_cast<float>(around.side);
  next[4] = given[4] + 1;
  return {};
}

Result<void> infer(Infer& node) {
  VULTUS_CHECK(node.expect_inputs(4, 4));
  for (size_t i = 0; i < 3; ++i)
    VULTUS_CHECK(node.expect_type(i, {DType::f32}));
  VULTUS_CHECK(node.expect_type(3, {DType::i32}));
  VULTUS_CHECK(face_follow_of(node.node()));
  if (node.shape(0).rank() != 2 || node.shape(0)[1] != kRetinaFaceRow ||
      node.shape(1) != Shape{1, 5} || node.shape(2) != Shape{1, kFaceRow} ||
      node.shape(3) != Shape{2})
    return node.fail(
        fmt::format("rows {}, region {}, face {} and size {} must be [faces,{}], "
                    "[1,5], [1,{}] and [2]",
                    node.shape(0).str(), node.shape(1).str(), node.shape(2).str(),
                    node.shape(3).str(), kRetinaFaceRow, kFaceRow));
  VULTUS_CHECK(node.set(0, DType::f32, {1, kFaceRow}));
  return node.set(1, DType::f32, {1, 5});
}

Result<Prepared> prepare(const Eval& node) {
  VULTUS_TRY(FaceFollow follow, face_follow_of(node.node));
  return Prepared{[follow](Eval& eval) { return run(eval, follow); }, 0};
}

const Register face_follow({.name = "FaceFollow",
                            .infer = infer,
                            .prepare = prepare,
                            .limits = "ours: the face of the frame before among a detector's"});

}  // namespace

double overlap_of(const Corners& a, const Corners& b, double extra) {
  const double width = std::max(0.0, std::min(a[2], b[2]) - std::max(a[0], b[0]) + extra);
  const double height = std::max(0.0, std::min(a[3], b[3]) - std::max(a[1], b[1]) + extra);
  const double both = width * height;
  const double all = (a[2] - a[0] + extra) * (a[3] - a[1] + extra) +
                     (b[2] - b[0] + extra) * (b[3] - b[1] + extra) - both;
  return all > 0 ? both / all : 0;
}

static bool are_numbers(const std::optional<std::array<double, 10>>& points) {
  return points && std::ranges::all_of(*points, [](double v) { return std::isfinite(v); });
}

double likeness(const FacePlace& face, const FacePlace& before) {
  const double overlap = overlap_of(face.box, before.box);
  const Corners& box = before.box;
  const double area = (box[2] - box[0]) * (box[3] - box[1]);
  if (!(area > 0) || !are_numbers(face.points) || !are_numbers(before.points)) return overlap;
  double alike = 0;
  for (size_t k = 0; k < 10; k += 2) {
    const double x = (*face.points)[k] - (*before.points)[k],
                 y = (*face.points)[k + 1] - (*before.points)[k + 1];
    alike += std::exp(-(x * x + y * y) / (2 * kPointSpread * kPointSpread * area));
  }
  return (overlap + alike / 5) / 2;
}

FaceRegion region_around(const FaceFollow& follow, const std::array<double, 4>& box, double limit) {
  const double longer = std::max(box[2] - box[0], box[3] - box[1]);
  const double wanted = std::max(double{follow.per_side} * longer, double{follow.smallest});
  const double side = std::round(std::min(wanted, limit));
  return {std::round((box[0] + box[2]) / 2 - side / 2),
          std::round((box[1] + box[3]) / 2 - side / 2), side};
}

Result<FaceFollow> face_follow_of(const Node& node) {
  VULTUS_CHECK(expect_attribute<int64_t>(node, "pixels"));
  for (const char* key : {"overlap", "per_side", "smallest"})
    VULTUS_CHECK(expect_attribute<float>(node, key));
  FaceFollow follow;
  follow.pixels = node.integer("pixels", 0);
  follow.overlap = node.real("overlap", follow.overlap);
  follow.per_side = node.real("per_side", follow.per_side);
  follow.smallest = node.real("smallest", follow.smallest);
  if (follow.pixels < 1 || !(follow.overlap >= 0) || !(follow.per_side >= 1) ||
      !(follow.smallest >= 1))
    return fail(node, fmt::format("pixels {}, per_side {} and smallest {} must be 1 or more, "
                                  "overlap {} 0 or more",
                                  follow.pixels, follow.per_side, follow.smallest, follow.overlap));
  return follow;
}

}  // namespace vultus
