#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/measure/measured.hpp"

namespace vultus::measure {

struct SideValues {
  std::optional<double> left, right;  ///< the subject's own
};

/// A face turned so that the line through the middles of its eyes (each the middle of its two
/// corners) is level; origin in the middle between the inner corners, y down. The facial midline is
/// x = 0. Nothing in it depends on lids, pupils, brows or mouth.
class LevelFace {
 public:
  /// Nothing without points, or with eyes less than a pixel apart.
  static std::optional<LevelFace> of(const Landmarks& landmarks);
  Point operator()(const Point& p) const;
  Point operator()(int landmark) const;
  double eyes_px() const { return eyes_; }            ///< between the middles of the eyes
  double intercanthal_px() const { return canthi_; }  ///< between the inner corners

 private:
  const Landmarks* landmarks_ = nullptr;
  Point origin_, along_;
  double eyes_ = 0, canthi_ = 0;
};

/// What lengths of a face are given in multiples of, in pixels of its frame.
struct Distances {
  double eyes_px = 0, intercanthal_px = 0;
};

/// Every point of a face in its level frame over the distance of the eyes: moves, turns and scales
/// of the picture leave it as it is.
std::vector<Point> shape_of(const Landmarks& landmarks, const LevelFace& level);

enum class Quantity : uint8_t { length, area, angle, ratio, score };

/// How far the head may be turned from the camera (|yaw|, |pitch|) for a measure to count. Depth of
/// the face makes one side longer than the other: docs/measures.md says by how much.
struct TurnLimit {
  double yaw_deg, pitch_deg;
};

/// One row of docs/measures.md and, with each of its units, of the sheet.
struct Measure {
  /// What is made of the two sides: themselves; their change since rest, which exists at the peak
  /// only; or the absolute difference alone.
  enum class Kind : uint8_t { sides, change, absolute };
  std::string_view name;
  Region region;  ///< its peak is that of this region
  Quantity quantity;
  Kind kind;
  bool needs_98;
  bool needs_halves;  ///< the expression network's scores of both half faces
  Flags voided_by;
  TurnLimit limit;
  std::string formula;  ///< of the subject's right with 98 points; the left is its mirror image
  std::string_view source;
};
std::span<const Measure> all_measures();

/// The units a measure is given in: lengths and areas in millimetres, and over the distance of the
/// inner corners of the eyes (icd), which needs no assumption.
std::vector<std::string_view> units_of(Quantity quantity);

/// Value of every measure in every unit: for each of all_measures() in order, for each of its
/// units. For a change, the value it is a change of. Nothing where points or scores are missing.
std::vector<SideValues> values_of(const FaceRecord& record, const FaceMeasures& measures,
                                  const MeasureOptions& options);

/// The table of docs/measures.md.
std::string measure_table();

}  // namespace vultus::measure
