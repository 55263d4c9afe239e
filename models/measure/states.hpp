#pragma once

// What compute_sheet gathers of the face at rest and at its peaks, pass by pass.
#include <deque>
#include <limits>

#include "models/measure/sheet.hpp"

namespace vultus::measure {

inline constexpr std::array kRegions{Region::brows, Region::eyes, Region::mouth};

/// One measure in one unit.
struct Slot {
  const Measure* measure;
  std::string_view unit;
};
/// In the order of values_of.
const std::vector<Slot>& slots();

/// Values of a slot over some frames.
struct Column {
  BoundedSample left, right, difference;
  void push(const SideValues& value, Measure::Kind kind);
};

/// The sheet's face in one frame.
struct SheetFace {
  const FrameRecord& frame;
  const FaceRecord& record;
  const FaceMeasures& measures;
  std::vector<SideValues> values;
  std::vector<Point> shape;  ///< empty where the points make no face
};

/// Medians over the baseline.
class RestPass {
 public:
  RestPass() : columns_(slots().size()) {}
  void push(const SheetFace& face);
  void finish();

  bool empty() const { return frames_ == 0; }
  const Column& column(size_t slot) const { return columns_[slot]; }
  Flags flags() const { return flags_; }  ///< that stand in any frame of it
  const std::vector<Point>& shape() const { return shape_; }
  bool has_shape() const { return !shape_.empty(); }
  bool turned(const HeadPose& pose) const;

 private:
  std::vector<Column> columns_;
  MedianShape shapes_;
  BoundedSample yaws_, pitches_;
  std::vector<Point> shape_;
  std::optional<double> yaw_, pitch_;
  Flags flags_;
  int64_t frames_ = 0;
};

/// The frames with the most movement against rest, and the baseline frame with the least.
class PeakPass {
 public:
  explicit PeakPass(const RestPass& rest) : rest_(rest) {}
  void push(const SheetFace& face, bool in_baseline);

  struct Found {
    Peak peak;
    std::vector<Column> columns;  ///< by slot
  };
  const std::optional<Found>& found(Region region) const { return found_[index(region)]; }
  /// What movement the baseline itself shows; nothing without frames.
  std::optional<double> noise(Region region) const;
  const std::optional<Moment>& rest_moment() const { return rest_moment_; }

 private:
  using Movement = std::array<double, kRegions.size()>;
  struct Frame {
    Moment moment;
    Movement movement;
    std::vector<SideValues> values;
  };
  static size_t index(Region region) { return static_cast<size_t>(region); }
  void consider(size_t region);

  const RestPass& rest_;
  std::deque<Frame> frames_;  ///< the last ones, one after the other
  std::array<std::optional<Found>, kRegions.size()> found_;
  std::array<BoundedSample, kRegions.size()> noise_;
  std::optional<Moment> rest_moment_;
  double least_ = std::numeric_limits<double>::infinity();
};

}  // namespace vultus::measure
