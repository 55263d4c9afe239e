#include "models/process/tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "report/text.hpp"

namespace vultus {

namespace {

using face::Expression;
using measure::FaceMeasures;
using report::decimal;

constexpr std::string_view kHead = "frame,face_id,timestamp,confidence,success";

std::string landmark_header(const TableLayout& layout) {
  std::string line(kHead);
  for (char axis : {'x', 'y'})
    for (size_t i = 0; i < face::point_count(layout.scheme); ++i)
      line += fmt::format(",{}_{}", axis, i);
  line += ",box_x,box_y,box_w,box_h,pose_Tx,pose_Ty,pose_Tz,pose_Rx,pose_Ry,pose_Rz";
  line += ",gaze_yaw,gaze_pitch,emotion";
  for (const std::string& emotion : layout.emotions)
    line += ",emotion_" + emotion;
  return line + ",blur,quality,pts";
}

std::string side_header() {
  std::string line(kHead);
  for (std::string_view unit : Expression::kActionUnits)
    line += fmt::format(",{}", unit);
  return line + ",AU43,AU45,side";
}

std::string seconds_cell(const FrameRecord& record) {
  return record.seconds ? fmt::format("{:.6f}", *record.seconds) : "";
}

/// The first five cells; of a frame without a face where `face` is null.
std::string head(const FrameRecord& record, const face::TrackedFace* face) {
  if (!face) return fmt::format("{},,{},,0", record.frame, seconds_cell(record));
  return fmt::format("{},{},{},{:.4f},1", record.frame, face->id, seconds_cell(record),
                     face->score);
}

std::string pts_cell(const FrameRecord& record) {
  return record.seconds ? std::to_string(record.pts) : "";
}

/// A row's head, its last cells, and empty ones between them up to the width of `table`.
std::string empty_row(const FrameRecord& record, const CsvFile& table, const std::string& last) {
  std::string row = head(record, nullptr);
  const auto cells = static_cast<size_t>(std::ranges::count(row + last, ',')) + 1;
  return row.append(table.columns() - cells, ',') + last;
}

std::string pose_cells(const std::optional<measure::HeadPose>& pose) {
  if (!pose) return ",,,,,,";
  std::string cells;
  for (double millimetres : {pose->x_mm, pose->y_mm, pose->z_mm})
    cells += fmt::format(",{}", decimal(millimetres, 2));
  for (double radians : {pose->pitch, pose->yaw, pose->roll})
    cells += fmt::format(",{}", decimal(radians, 4));
  return cells;
}

std::string expression_cells(const std::optional<Expression>& whole, const TableLayout& layout) {
  if (!whole) return std::string(3 + layout.emotions.size(), ',');
  const auto likeliest = std::ranges::max_element(whole->emotions) - whole->emotions.begin();
  std::string cells = fmt::format(",{},{},{}", decimal(double{whole->gaze_yaw}, 4),
                                  decimal(double{whole->gaze_pitch}, 4),
                                  layout.emotions[static_cast<size_t>(likeliest)]);
  for (float probability : whole->emotions)
    cells += fmt::format(",{:.4f}", probability);
  return cells;
}

std::string score_cell(const std::optional<double>& score) {
  return score ? fmt::format(",{:.4f}", *score) : ",";
}

std::string landmark_row(const FrameRecord& record, const FaceRecord& measured,
                         const FaceMeasures& measures, const TableLayout& layout) {
  const face::TrackedFace& face = measured.face;
  std::string line = head(record, &face);
  auto out = std::back_inserter(line);
  for (const face::Point& p : face.landmarks.points)
    fmt::format_to(out, ",{}", decimal(p.x, 3));
  for (const face::Point& p : face.landmarks.points)
    fmt::format_to(out, ",{}", decimal(p.y, 3));
  for (double side : {face.box.x1, face.box.y1, face.box.width(), face.box.height()})
    fmt::format_to(out, ",{}", decimal(side, 3));
  return line + pose_cells(measures.pose) + expression_cells(measured.whole, layout) +
         score_cell(measured.blur) +
         fmt::format(",{},{}", measures.quality.text(), pts_cell(record));
}

std::string side_row(const FrameRecord& record, const FaceRecord& measured,
                     const std::optional<Expression>& half, measure::Flags quality,
                     const measure::EyeMeasures& eye, std::string_view side) {
  std::string line = head(record, &measured.face);
  const bool told = half && !(quality & measure::kVoidsExpression).any();
  for (size_t i = 0; i < Expression::kActionUnits.size(); ++i)
    line += told ? fmt::format(",{:.4f}", half->action_units[i]) : ",";
  return line + score_cell(eye.au43) + score_cell(eye.au45) + fmt::format(",{}", side);
}

}  // namespace

Result<Tables> Tables::create(const std::string& folder, const TableLayout& layout) {
  VULTUS_TRY(CsvFile landmarks,
             CsvFile::create(folder + "/landmarks.csv", landmark_header(layout)));
  VULTUS_TRY(CsvFile left, CsvFile::create(folder + "/left.csv", side_header()));
  VULTUS_TRY(CsvFile right, CsvFile::create(folder + "/right.csv", side_header()));
  return Tables(layout, std::move(landmarks), std::move(left), std::move(right));
}

Result<void> Tables::add(const FrameRecord& record, std::span<const FaceMeasures> measures) {
  if (record.faces.empty()) {
    const std::string quality = record.damaged ? "not_decoded," : ",";
    VULTUS_CHECK(landmarks_.add(empty_row(record, landmarks_, quality + pts_cell(record))));
    VULTUS_CHECK(left_.add(empty_row(record, left_, "left")));
    VULTUS_CHECK(right_.add(empty_row(record, right_, "right")));
  }
  for (size_t i = 0; i < record.faces.size(); ++i) {
    const FaceRecord& face = record.faces[i];
    const FaceMeasures of = i < measures.size() ? measures[i] : FaceMeasures{};
    VULTUS_CHECK(landmarks_.add(landmark_row(record, face, of, layout_)));
    VULTUS_CHECK(left_.add(side_row(record, face, face.left, of.quality, of.left, "left")));
    VULTUS_CHECK(right_.add(side_row(record, face, face.right, of.quality, of.right, "right")));
  }
  return {};
}

Result<void> Tables::finish() {
  VULTUS_CHECK(landmarks_.finish());
  VULTUS_CHECK(left_.finish());
  return right_.finish();
}

Result<int64_t> Tables::verify(const std::string& folder, const TableLayout& layout,
                               int64_t frames) {
  VULTUS_TRY(int64_t faces,
             verify_frames(folder + "/landmarks.csv", landmark_header(layout), frames));
  for (const char* name : {"left.csv", "right.csv"}) {
    const std::string path = folder + "/" + name;
    VULTUS_TRY(int64_t found, verify_frames(path, side_header(), frames));
    if (found != faces)
      return Error{Errc::mismatch, fmt::format("{}: {} rows with a face, landmarks.csv has {}",
                                               path, found, faces)};
  }
  return faces;
}

}  // namespace vultus
