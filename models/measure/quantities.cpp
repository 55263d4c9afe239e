#include "models/measure/quantities.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/core.hpp>

namespace vultus::measure {

namespace {

/// One half of one face, in pixels of its level frame.
struct Half {
  const LevelFace& level;
  const HalfFace& points;
  const MiddleFace& middle;
  double outward;  ///< -1 where this half lies on the picture's left, else 1
  const EyeMeasures& eye;
  const std::optional<face::Expression>& expression;

  double distance(int a, int b) const { return cv::norm(level(a) - level(b)); }
};
using Value = std::optional<double>;
using Function = Value (*)(const Half&);

double polygon_area(std::span<const Point> corners) {
  double twice = 0;
  for (size_t i = 0; i < corners.size(); ++i) {
    const Point& a = corners[i];
    const Point& b = corners[(i + 1) % corners.size()];
    twice += a.x * b.y - b.x * a.y;
  }
  return std::abs(twice) / 2;
}

Value canthus_to_commissure(const Half& h) {
  return h.distance(h.points.inner_canthus, h.points.commissure);
}

Value palpebral_fissure(const Half& h) {
  if (!h.points.detail) return {};
  return h.distance(h.points.detail->upper_lid[1], h.points.detail->lower_lid[1]);
}

Value mrd1(const Half& h) {
  if (!h.points.detail) return {};
  return h.level(h.points.detail->pupil).y - h.level(h.points.detail->upper_lid[1]).y;
}

Value mrd2(const Half& h) {
  if (!h.points.detail) return {};
  return h.level(h.points.detail->lower_lid[1]).y - h.level(h.points.detail->pupil).y;
}

Value eye_area(const Half& h) {
  if (!h.points.detail) return {};
  std::vector<Point> corners{h.level(h.points.outer_canthus)};
  for (int i : h.points.detail->upper_lid)
    corners.push_back(h.level(i));
  corners.push_back(h.level(h.points.inner_canthus));
  for (size_t i = 3; i-- > 0;)
    corners.push_back(h.level(h.points.detail->lower_lid[i]));
  return polygon_area(corners);
}

Value aspect_ratio(const Half& h) {
  return h.eye.ear;
}

Value closure(const Half& h) {
  return h.eye.closure;
}

/// Height of the brow's upper edge above the pupil, between the two points the pupil is under.
Value brow_height(const Half& h) {
  if (!h.points.detail) return {};
  const Point pupil = h.level(h.points.detail->pupil);
  for (size_t i = 0; i + 1 < h.points.detail->brow.size(); ++i) {
    const Point a = h.level(h.points.detail->brow[i]), b = h.level(h.points.detail->brow[i + 1]);
    const double share = (pupil.x - a.x) / (b.x - a.x);
    if (share >= 0 && share <= 1) return pupil.y - (a.y + share * (b.y - a.y));
  }
  return {};
}

Value oral_commissure(const Half& h) {
  return h.distance(h.points.commissure, h.middle.lower_lip);
}

Value commissure_height(const Half& h) {
  return -h.level(h.points.commissure).y;
}

Value smile_angle(const Half& h) {
  const Point d = h.level(h.points.commissure) - h.level(h.middle.lower_lip);
  return 90 + std::atan2(-d.y, h.outward * d.x) * 180 / std::numbers::pi;
}

/// The part of the inner lips' polygon on this side of the midline (Sutherland and Hodgman 1974).
Value dental_show(const Half& h) {
  std::vector<Point> kept;
  const auto& ring = h.middle.inner_lips;
  for (size_t i = 0; i < ring.size(); ++i) {
    const Point a = h.level(ring[i]), b = h.level(ring[(i + 1) % ring.size()]);
    const bool a_in = h.outward * a.x >= 0, b_in = h.outward * b.x >= 0;
    if (a_in) kept.push_back(a);
    if (a_in != b_in) kept.push_back(a + (b - a) * (a.x / (a.x - b.x)));
  }
  return polygon_area(kept);
}

template <size_t unit>
Value action_unit(const Half& h) {
  if (!h.expression) return {};
  return h.expression->action_units[unit];
}

struct Entry {
  Measure measure;
  Function function;
};

constexpr auto kSides = Measure::Kind::sides;
constexpr auto kChange = Measure::Kind::change;
constexpr std::string_view kEmotrics = "Emotrics", kDynaface = "dynaface", kOurs = "ours",
                           kSplitFace = "SplitFace";

// In degrees, of yaw and pitch.
constexpr TurnLimit kLidHeights{10, 15}, kEyeWidths{5, 15}, kDown{5, 10}, kAcross{3, 10},
    kHalves{5, 25}, kLengthChange{8, 15}, kHalvesChange{8, 25};

template <size_t unit>
void add_action_unit(std::vector<Entry>& entries, Region region, std::string_view change) {
  const std::string_view name = face::Expression::kActionUnits[unit];
  const std::string score =
      fmt::format("{} of the face made of this half and its mirror image", name);
  entries.push_back({{name, region, Quantity::score, kSides, false, true, kVoidsExpression, kHalves,
                      score, kSplitFace},
                     action_unit<unit>});
  entries.push_back({{change, region, Quantity::score, kChange, false, true, kVoidsExpression,
                      kHalvesChange, score + ", peak - rest", kSplitFace},
                     action_unit<unit>});
}

std::vector<Entry> make_entries() {
  using enum Quantity;
  constexpr Region brows = Region::brows, eyes = Region::eyes, mouth = Region::mouth;
  std::vector<Entry> entries{
      {{"fai", mouth, length, Measure::Kind::absolute, false, false, kVoidsGeometry, kDown,
        "abs(d(64,76) - d(68,82))", kDynaface},
       canthus_to_commissure},
      {{"canthus_to_commissure", mouth, length, kSides, false, false, kVoidsGeometry, kDown,
        "d(64,76)", kDynaface},
       canthus_to_commissure},
      {{"palpebral_fissure", eyes, length, kSides, true, false, kVoidsEyes, kLidHeights, "d(62,66)",
        kEmotrics},
       palpebral_fissure},
      {{"mrd1", eyes, length, kSides, true, false, kVoidsEyes, kLidHeights, "y(96) - y(62)",
        kEmotrics},
       mrd1},
      {{"mrd2", eyes, length, kSides, true, false, kVoidsEyes, kLidHeights, "y(66) - y(96)",
        kEmotrics},
       mrd2},
      {{"eye_area", eyes, area, kSides, true, false, kVoidsEyes, kEyeWidths,
        "area of the polygon 60-67", kDynaface},
       eye_area},
      {{"eye_aspect_ratio", eyes, ratio, kSides, true, false, kVoidsEyes, kEyeWidths,
        "(d(61,67) + d(62,66) + d(63,65)) / (3 d(60,64))", "Soukupova and Cech 2016"},
       aspect_ratio},
      {{"eye_closure", eyes, score, kSides, true, false, kVoidsEyes, kEyeWidths,
        "1 - (clip(EAR, shut, open) - shut) / (open - shut)", kOurs},
       closure},
      {{"brow_height", brows, length, kSides, true, false, kVoidsGeometry, kDown,
        "y(96) - y of the line 33-38 above 96", kEmotrics},
       brow_height},
      {{"oral_commissure", mouth, length, kSides, false, false, kVoidsGeometry, kAcross, "d(76,85)",
        kDynaface},
       oral_commissure},
      {{"commissure_excursion", mouth, length, kChange, false, false, kVoidsGeometry, kLengthChange,
        "d(76,85), peak - rest", kDynaface},
       oral_commissure},
      {{"commissure_height", mouth, length, kSides, false, false, kVoidsGeometry, kDown,
        "-y(76), above the inner corners of the eyes (so below 0)", kEmotrics},
       commissure_height},
      {{"commissure_lift", mouth, length, kChange, false, false, kVoidsGeometry, kLengthChange,
        "-y(76), peak - rest", kEmotrics},
       commissure_height},
      {{"smile_angle", mouth, angle, kSides, false, false, kVoidsGeometry, kAcross,
        "90 + elevation of 76 seen from 85", kEmotrics},
       smile_angle},
      {{"dental_show", mouth, area, kSides, false, false, kVoidsGeometry, kAcross,
        "area of the polygon 88-95 on this side of the midline", kDynaface},
       dental_show}};
  add_action_unit<0>(entries, brows, "AU01_change");
  add_action_unit<1>(entries, brows, "AU02_change");
  add_action_unit<2>(entries, brows, "AU04_change");
  add_action_unit<3>(entries, mouth, "AU06_change");
  add_action_unit<4>(entries, mouth, "AU09_change");
  add_action_unit<5>(entries, mouth, "AU12_change");
  add_action_unit<6>(entries, mouth, "AU25_change");
  add_action_unit<7>(entries, mouth, "AU26_change");
  return entries;
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = make_entries();
  return all;
}

}  // namespace

std::span<const Measure> all_measures() {
  static const std::vector<Measure> all = [] {
    std::vector<Measure> measures;
    for (const Entry& entry : entries())
      measures.push_back(entry.measure);
    return measures;
  }();
  return all;
}

std::vector<std::string_view> units_of(Quantity quantity) {
  switch (quantity) {
    case Quantity::length:
      return {"mm", "icd"};
    case Quantity::area:
      return {"mm2", "icd2"};
    case Quantity::angle:
      return {"deg"};
    case Quantity::ratio:
      return {"1"};
    case Quantity::score:
      return {"score"};
  }
  return {};
}

std::vector<SideValues> values_of(const FaceRecord& record, const FaceMeasures& measures,
                                  const MeasureOptions& options) {
  std::vector<SideValues> values;
  const Landmarks& landmarks = record.face.landmarks;
  const std::optional<LevelFace> level = LevelFace::of(landmarks);
  auto half = [&](Side side) {
    const bool image_left = (side == Side::right) != options.sides.mirrored_input;
    return Half{*level,
                options.sides.half(landmarks.scheme, side),
                middle_of(landmarks.scheme),
                image_left ? -1.0 : 1.0,
                measures.eye(side),
                side == Side::left ? record.left : record.right};
  };
  for (const Entry& entry : entries()) {
    SideValues sides;
    if (level) sides = {entry.function(half(Side::left)), entry.function(half(Side::right))};
    const bool area = entry.measure.quantity == Quantity::area;
    for (std::string_view unit : units_of(entry.measure.quantity)) {
      double factor = 1;
      if (level && unit.starts_with("mm")) factor = options.pupil_distance_mm / level->eyes_px();
      if (level && unit.starts_with("icd")) factor = 1 / level->intercanthal_px();
      if (area) factor *= factor;
      auto scaled = [&](const Value& v) {
        return v && std::isfinite(*v) ? Value(*v * factor) : Value();
      };
      values.push_back({scaled(sides.left), scaled(sides.right)});
    }
  }
  return values;
}

std::string measure_table() {
  std::string table =
      "| measure | formula | unit | points | peak of | yaw, pitch | voided by | source |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const Measure& m : all_measures()) {
    const auto units = units_of(m.quantity);
    std::string flags = m.voided_by.text();
    std::replace(flags.begin(), flags.end(), '|', ' ');
    table += fmt::format("| {} | {} | {} | {} | {} | {}, {} | {} | {} |\n", m.name, m.formula,
                         fmt::join(units, ", "), m.needs_98 ? "98" : "98, 68", name_of(m.region),
                         m.limit.yaw_deg, m.limit.pitch_deg, flags, m.source);
  }
  return table;
}

}  // namespace vultus::measure
