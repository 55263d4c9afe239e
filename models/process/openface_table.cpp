#include "models/process/openface_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <optional>
#include <utility>

#include "report/text.hpp"

namespace vultus {

namespace {

using face::Expression;
using measure::FaceMeasures;
using report::decimal;

constexpr std::array<std::string_view, 17> kIntensities{
    "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12",
    "AU14", "AU15", "AU17", "AU20", "AU23", "AU25", "AU26", "AU45"};
constexpr double kPresent = 0.5;
constexpr size_t kEyePoints = 56, kPoints = 68, kShape = 34;
constexpr size_t kEyeCells = 5 * kEyePoints, kSpaceCells = 3 * kPoints, kShapeCells = 6 + kShape;

/// The point of WFLW's 98 that stands where each of iBUG's 68 does: every second of the jaw, the
/// upper edges of the brows, nose, corners and lids of the eyes, lips.
constexpr std::array<uint8_t, kPoints> kOf98{
    0,  2,  4,  6,  8,  10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 33, 34, 35, 36, 37, 42,
    43, 44, 45, 46, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 63, 64, 65, 67, 68, 69, 71, 72,
    73, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95};

/// `row` and as many empty cells.
void leave_empty(std::string& row, size_t cells) {
  row.append(cells, ',');
}

void add_numbered(std::string& line, std::string_view name, size_t count) {
  for (size_t i = 0; i < count; ++i)
    line += fmt::format(",{}{}", name, i);
}

std::string presence(bool present) {
  return present ? ",1.00" : ",0.00";
}

/// OpenFace's AU45 is closure of any length: a blink's and ours of AU43.
std::optional<double> closed(const measure::EyeMeasures& eye) {
  if (!eye.au45) return std::nullopt;
  return std::max(*eye.au45, eye.au43.value_or(0));
}

/// ",1.00", ",0.00" or an empty cell.
std::string presence_of(std::string_view unit, const FaceRecord& face,
                        const FaceMeasures& measures) {
  if (unit == "AU45") {
    const auto left = closed(measures.left), right = closed(measures.right);
    return left && right ? presence((*left + *right) / 2 > kPresent) : ",";
  }
  const auto at = std::ranges::find(Expression::kActionUnits, unit);
  if (!face.whole || at == Expression::kActionUnits.end()) return ",";
  const auto i = static_cast<size_t>(at - Expression::kActionUnits.begin());
  return presence(static_cast<double>(face.whole->action_units[i]) > kPresent);
}

std::string row_of(const FrameRecord& record, const FaceRecord& face,
                   const FaceMeasures& measures) {
  std::string row =
      fmt::format("{},{},{},{:.2f},1", record.frame, face.face.id,
                  record.seconds ? fmt::format("{:.3f}", *record.seconds) : "", face.face.score);
  auto out = std::back_inserter(row);
  leave_empty(row, 6);  // a vector for each eye: the network gives one for both
  if (face.whole) {
    const double yaw = face.whole->gaze_yaw, pitch = face.whole->gaze_pitch;
    // OpenFace's angles are those of (x, -z) and (y, -z).
    const double x = -std::cos(pitch) * std::sin(yaw), y = -std::sin(pitch);
    const double z = -std::cos(pitch) * std::cos(yaw);
    fmt::format_to(out, ",{},{}", decimal(std::atan2(x, -z), 3), decimal(std::atan2(y, -z), 3));
  } else {
    leave_empty(row, 2);
  }
  leave_empty(row, kEyeCells);
  if (const auto& pose = measures.pose) {
    for (double millimetres : {pose->x_mm, pose->y_mm, pose->z_mm})
      fmt::format_to(out, ",{}", decimal(millimetres, 1));
    const measure::Angles turn = pose->in_camera_axes();
    for (double radians : {turn.pitch, turn.yaw, turn.roll})
      fmt::format_to(out, ",{}", decimal(radians, 3));
  } else {
    leave_empty(row, 6);
  }
  const face::Landmarks& points = face.face.landmarks;
  const bool wflw = points.scheme == face::LandmarkScheme::wflw98;
  auto point = [&](size_t i) { return points[wflw ? kOf98[i] : i]; };
  for (size_t i = 0; i < kPoints; ++i)
    fmt::format_to(out, ",{}", decimal(point(i).x, 1));
  for (size_t i = 0; i < kPoints; ++i)
    fmt::format_to(out, ",{}", decimal(point(i).y, 1));
  leave_empty(row, kSpaceCells + kShapeCells + kIntensities.size());
  for (std::string_view unit : kIntensities) {
    if (unit == "AU45") row += ",";  // AU28_c stands before it
    row += presence_of(unit, face, measures);
  }
  return row;
}

}  // namespace

std::string openface_header() {
  std::string line =
      "frame,face_id,timestamp,confidence,success,gaze_0_x,gaze_0_y,gaze_0_z,gaze_1_x,gaze_1_y,"
      "gaze_1_z,gaze_angle_x,gaze_angle_y";
  for (std::string_view axis : {"x", "y", "X", "Y", "Z"})
    add_numbered(line, fmt::format("eye_lmk_{}_", axis), kEyePoints);
  line += ",pose_Tx,pose_Ty,pose_Tz,pose_Rx,pose_Ry,pose_Rz";
  for (std::string_view axis : {"x_", "y_", "X_", "Y_", "Z_"})
    add_numbered(line, axis, kPoints);
  line += ",p_scale,p_rx,p_ry,p_rz,p_tx,p_ty";
  add_numbered(line, "p_", kShape);
  for (std::string_view unit : kIntensities)
    line += fmt::format(",{}_r", unit);
  for (std::string_view unit : kIntensities)
    line += fmt::format("{},{}_c", unit == "AU45" ? ",AU28_c" : "", unit);
  return line;
}

Result<OpenFaceTable> OpenFaceTable::create(const std::string& folder) {
  VULTUS_TRY(CsvFile file, CsvFile::create(folder + "/" + kName, openface_header()));
  return OpenFaceTable(std::move(file));
}

Result<void> OpenFaceTable::add(const FrameRecord& record, std::span<const FaceMeasures> faces) {
  if (record.faces.empty()) {
    std::string row = fmt::format("{},,{},0.00,0", record.frame,
                                  record.seconds ? fmt::format("{:.3f}", *record.seconds) : "");
    leave_empty(row, file_.columns() - 5);
    return file_.add(row);
  }
  for (size_t i = 0; i < record.faces.size(); ++i)
    VULTUS_CHECK(file_.add(row_of(record, record.faces[i], faces[i])));
  return {};
}

Result<int64_t> OpenFaceTable::verify(const std::string& folder, int64_t frames) {
  return verify_frames(folder + "/" + kName, openface_header(), frames);
}

std::string OpenFaceTable::not_measured() {
  return fmt::format(
      "{}: empty, because they are not measured: gaze_0, gaze_1, eye_lmk, X Y Z, p_, AU "
      "intensities "
      "(_r), and the presences AU05, 07, 10, 14, 15, 17, 20, 23, 28",
      kName);
}

}  // namespace vultus
