#pragma once

#include <span>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "models/measure/measured.hpp"
#include "models/process/csv_file.hpp"
#include "models/process/record.hpp"

namespace vultus {

/// What the columns depend on.
struct TableLayout {
  face::LandmarkScheme scheme = face::LandmarkScheme::wflw98;
  std::vector<std::string> emotions;  ///< names in the network's order
};

/// The tables of one input. Each has `frame` (from 1), `face_id`, `timestamp` (seconds as the
/// container tells; empty for a picture), `confidence` (of the detection) and `success` first.
/// Every decoded frame has a row in each, several where there are several faces; what was not
/// measured is an empty cell.
///  landmarks.csv: x_0.., y_0.., box_x, box_y, box_w, box_h in pixels of the upright frame;
///    pose_Tx.. in millimetres, pose_Rx.. in radians (HeadPose); gaze_yaw, gaze_pitch in radians,
///    emotion (the likeliest), emotion_NAME (probabilities); quality (Flags::text).
///  left.csv, right.csv: action units by their numbers, presence scores 0..1, of the face made of
///    the subject's left or right half alone, AU43 and AU45 of the eye (EyeMeasures); `side`.
class Tables {
 public:
  /// Writes into `folder`.
  static Result<Tables> create(const std::string& folder, const TableLayout& layout);

  /// `measures[i]` is of `record.faces[i]`; a face without has empty cells for them.
  Result<void> add(const FrameRecord& record, std::span<const measure::FaceMeasures> measures = {});
  /// Flushes to the disk and closes. No call may follow.
  Result<void> finish();

  /// Their file names.
  static std::vector<std::string> names() { return {"landmarks.csv", "left.csv", "right.csv"}; }
  /// Every table in `folder` has a row for each of `frames` frames. Returns the number of rows with
  /// a face, the same in all; mismatch names the first bad line.
  static Result<int64_t> verify(const std::string& folder, const TableLayout& layout,
                                int64_t frames);

 private:
  Tables(TableLayout layout, CsvFile landmarks, CsvFile left, CsvFile right)
      : layout_(std::move(layout)),
        landmarks_(std::move(landmarks)),
        left_(std::move(left)),
        right_(std::move(right)) {}

  TableLayout layout_;
  CsvFile landmarks_, left_, right_;
};

}  // namespace vultus
