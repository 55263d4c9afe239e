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

/// Values of a slot over some frames. Lengths of a change are in their unit times the pixels that
/// one of it has in that frame (distance_px): whoever reads them divides by one scale for rest and
/// peak.
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
  Distances distances;
};

/// How the head lies and how large it is over some frames: medians.
class HeadView {
 public:
  void push(const std::optional<HeadPose>& pose, const Distances& distances);
  bool has_pose() const { return yaw_.count() > 0; }
  std::optional<double> yaw() const { return yaw_.median(); }      ///< radians
  std::optional<double> pitch() const { return pitch_.median(); }  ///< radians
  std::optional<double> roll() const { return roll_.median(); }    ///< radians
  /// Of the pixels that slot's unit is a multiple of; 1 where it is none.
  double distance_px(const Slot& slot) const;
  std::optional<double> eyes_px() const { return eyes_.median(); }
  std::optional<double> intercanthal_px() const { return canthi_.median(); }
  /// Names of the limits, joined by "|", beyond which half of the frames are.
  std::string beyond(const TurnLimit& limit) const;

 private:
  BoundedSample yaw_, pitch_, roll_, absolute_yaw_, absolute_pitch_, eyes_, canthi_;
};

/// Medians over the baseline.
class RestPass {
 public:
  RestPass() : columns_(slots().size()) {}
  void push(const SheetFace& face);
  void finish();

  bool empty() const { return frames_ == 0; }
  int64_t unflagged() const { return unflagged_; }  ///< frames that no flag of kVoidsGeometry voids
  /// Shorter than what the automatic baseline has to be.
  bool is_short() const;
  const Column& column(size_t slot) const { return columns_[slot]; }
  Flags flags() const { return flags_; }  ///< that stand in any frame of it
  const std::vector<Point>& shape() const { return shape_; }
  bool has_shape() const { return !shape_.empty(); }
  const HeadView& view() const { return view_; }
  bool turned(const HeadPose& pose) const;  ///< by more than kTurnLimit
  bool rescaled(double eyes_px) const;      ///< by more than kScaleLimit

 private:
  std::vector<Column> columns_;
  MedianShape shapes_;
  HeadView view_;
  std::vector<Point> shape_;
  std::optional<double> yaw_, pitch_, eyes_px_;
  std::optional<double> first_, last_;  ///< seconds of unflagged frames
  Flags flags_;
  int64_t frames_ = 0, unflagged_ = 0;
};

/// The frames with the most movement against rest, and the baseline frame with the least.
class PeakPass {
 public:
  explicit PeakPass(const RestPass& rest) : rest_(rest) {}
  void push(const SheetFace& face, bool in_baseline);

  struct Found {
    Peak peak;
    double nose = 0;  ///< movement of nose_of in the same frames
    HeadView view;
    std::vector<Column> columns;  ///< by slot
  };
  const std::optional<Found>& found(Region region) const { return found_[index(region)]; }
  /// What a movement has to exceed; nothing where none was found.
  std::optional<double> needed(Region region) const;
  const std::optional<Moment>& rest_moment() const { return rest_moment_; }
  /// Frames without a flag, and those of them with the head turned from rest.
  int64_t unflagged() const { return unflagged_; }
  int64_t turned() const { return turned_; }

 private:
  static constexpr size_t kNose = kRegions.size();
  using Movement = std::array<double, kRegions.size() + 1>;
  struct Frame {
    Moment moment;
    Movement movement;
    std::vector<SideValues> values;
    std::optional<HeadPose> pose;
    Distances distances;
  };
  static size_t index(Region region) { return static_cast<size_t>(region); }
  bool comparable(const SheetFace& face);
  Movement movement_of(const SheetFace& face) const;
  void learn_rest(const Frame& frame);
  double middle(size_t part) const;  ///< median movement over frames_
  void consider(size_t region);

  const RestPass& rest_;
  std::deque<Frame> frames_;  ///< the last ones, one after the other
  std::array<std::optional<Found>, kRegions.size()> found_;
  std::array<BoundedSample, kRegions.size()> noise_;
  std::optional<Moment> rest_moment_;
  double least_ = std::numeric_limits<double>::infinity();
  int64_t unflagged_ = 0, turned_ = 0;
};

}  // namespace vultus::measure
