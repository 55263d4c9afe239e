#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "models/measure/baseline.hpp"

namespace vultus::measure {

struct SheetOptions {
  MeasureOptions measure;
  BaselineChoice baseline;
};

/// A frame of the video.
struct Moment {
  int64_t frame = 0;
  std::optional<double> seconds;
};

/// Where a region moved most against rest.
struct Peak {
  Moment moment;
  /// Root mean square distance of the region's points from rest over the distance of the eyes, the
  /// median over the frame and its neighbours.
  double movement = 0;
  double needed = 0;  ///< what is not exceeded is no movement
};

/// One measure in one unit and state. Values are medians over `frames` frames, spreads the median
/// absolute deviations (the scatter of smoothed points within the frames, no error of the value;
/// nothing for one frame); the difference is left minus right, its spread that of the differences
/// in each frame. Sides are the subject's own.
struct SheetRow {
  enum class State : uint8_t {
    rest,  ///< over the baseline
    all,   ///< over every frame, where there is no baseline
    peak,  ///< over the region's peak and the two frames on either side of it
  };
  const Measure* measure = nullptr;
  std::string_view unit;
  State state = State::rest;
  std::optional<double> left, right, difference;
  /// 100 |left - right| / max(|left|, |right|): which side is the healthy one is not known. Nothing
  /// where the larger is below the floor of its region (kFloor, one pixel) or the signs differ.
  std::optional<double> percent;
  std::optional<double> left_spread, right_spread, difference_spread;
  /// Medians over the frames: the head's angles in degrees as in HeadPose, and the millimetres that
  /// a pixel has there.
  std::optional<double> yaw_deg, pitch_deg, roll_deg, mm_per_pixel;
  int64_t frames = 0;
  bool valid = false;
  std::string voided_by;  ///< reasons joined by "|": flags, or a word of docs/measures.md
};
std::string_view name_of(SheetRow::State state);

/// Measurements of the face with the most frames that no flag of kVoidsGeometry voids, or, where
/// there are none, with the most frames. Never a grade.
struct Sheet {
  int face_id = -1;                          ///< -1: no face
  int64_t frames = 0, unflagged_frames = 0;  ///< of this face
  Baseline baseline;
  std::optional<double> mm_per_pixel;  ///< at rest, or over all frames
  std::optional<Moment> rest;          ///< the baseline frame nearest to the median of the baseline
  std::optional<Moment> clearest;      ///< of the face's frames, one without a flag before others
  std::array<std::optional<Peak>, 3> peaks;  ///< by Region
  std::vector<SheetRow> rows;
  std::vector<std::string> notes;  ///< what to know of it, one sentence each
};

/// Goes through the records four to eight times in memory that does not grow with them. A video
/// where nothing can be measured gives a sheet whose rows and notes say so.
Result<Sheet> compute_sheet(const RecordSource& source, const SheetOptions& options);

/// What came of the rows that have a value.
struct Outcome {
  int64_t rows = 0, valid = 0;
  /// Words of voided_by and in how many rows that are not valid they stand, the most frequent
  /// first; where no row has a value, in how many of all.
  std::vector<std::pair<std::string, int64_t>> reasons;
};
Outcome outcome_of(const Sheet& sheet);
bool has_value(const SheetRow& row);

/// asymmetry.csv: a header and one line a row.
std::string to_csv(const Sheet& sheet);

/// Candidates for a peak: the frame and two on either side follow each other without a flag that
/// voids geometry, and the head is turned (yaw, pitch) no more than this against rest. 3 degrees.
inline constexpr double kTurnLimit = 0.05236;
inline constexpr int kPeakFrames = 5;
/// Changes of lengths count where the distance of the eyes at the peak is within this share of that
/// at rest, by which both are measured.
inline constexpr double kScaleLimit = 0.02;
/// A peak is a movement when it exceeds all of these: median + kNoise * 1.4826 * MAD of the same
/// quantity over the baseline; kFloor of the region, in eye distances, which is more than the
/// points of PFLD and of the 68-point network move on photographs that are panned, zoomed and
/// turned; one pixel; and what the nose moves in the same frames.
inline constexpr double kNoise = 3;
inline constexpr std::array kFloor{0.035, 0.016, 0.04};  ///< by Region
/// Lengths and areas count where a pixel is no more than this.
inline constexpr double kMostMmPerPixel = 2;

}  // namespace vultus::measure
