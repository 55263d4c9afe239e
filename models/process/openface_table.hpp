#pragma once

#include <span>
#include <string>

#include "models/measure/measured.hpp"
#include "models/process/csv_file.hpp"
#include "models/process/record.hpp"

namespace vultus {

/// openface.csv: the 714 columns of OpenFace 2.2.0, in its order and with its decimals, for
/// programs that read those. Filled are frame, face_id, timestamp, confidence, success,
/// gaze_angle_x and _y, pose (HeadPose::in_camera_axes), x_0..y_67 and the presences AU01, 02, 04,
/// 06, 09, 12, 25, 26 (score above 0.5) and 45 (mean closure of the eyes above 0.5, however long).
/// What is not measured is an empty cell: no intensity is made up.
class OpenFaceTable {
 public:
  static constexpr const char* kName = "openface.csv";

  static Result<OpenFaceTable> create(const std::string& folder);
  /// `faces[i]` belongs to `record.faces[i]`.
  Result<void> add(const FrameRecord& record, std::span<const measure::FaceMeasures> faces);
  /// Flushes to the disk and closes. No call may follow.
  Result<void> finish() { return file_.finish(); }

  /// As Tables::verify.
  static Result<int64_t> verify(const std::string& folder, int64_t frames);
  /// One sentence for the summary: which blocks of columns are empty.
  static std::string not_measured();

 private:
  explicit OpenFaceTable(CsvFile file) : file_(std::move(file)) {}
  CsvFile file_;
};

/// The header's line, without its end.
std::string openface_header();

}  // namespace vultus
