#include <fmt/format.h>

#include "models/measure/sheet.hpp"
#include "report/text.hpp"

namespace vultus::measure {

namespace {

/// A comma and the number, if there is one.
std::string cell(const std::optional<double>& value, int digits) {
  return value ? fmt::format(",{}", report::decimal(*value, digits)) : ",";
}

/// Decimals that a unit's numbers are worth.
int digits_of(std::string_view unit) {
  if (unit == "mm") return 2;
  return unit == "mm2" || unit == "deg" ? 1 : 4;
}

std::optional<Moment> moment_of(const Sheet& sheet, const SheetRow& row) {
  if (row.state == SheetRow::State::rest) return sheet.rest;
  if (row.state == SheetRow::State::all) return std::nullopt;
  const auto& peak = sheet.peaks[static_cast<size_t>(row.measure->region)];
  return peak ? std::optional(peak->moment) : std::nullopt;
}

}  // namespace

std::string to_csv(const Sheet& sheet) {
  std::string text =
      "measure,state,unit,left,right,difference,percent,left_spread,right_spread,"
      "difference_spread,frame,timestamp,frames,face_id,yaw,pitch,roll,mm_per_pixel,valid,voided_"
      "by,formula\n";
  const std::string id = sheet.face_id < 0 ? "" : fmt::format("{}", sheet.face_id);
  for (const SheetRow& row : sheet.rows) {
    const std::optional<Moment> moment = moment_of(sheet, row);
    const int digits = digits_of(row.unit);
    text += fmt::format("{},{},{}", row.measure->name, name_of(row.state), row.unit);
    for (const auto& value : {row.left, row.right, row.difference})
      text += cell(value, digits);
    text += cell(row.percent, 1);
    for (const auto& value : {row.left_spread, row.right_spread, row.difference_spread})
      text += cell(value, digits);
    text += fmt::format(",{}{},{},{}", moment ? fmt::format("{}", moment->frame) : "",
                        cell(moment ? moment->seconds : std::nullopt, 6), row.frames, id);
    for (const auto& angle : {row.yaw_deg, row.pitch_deg, row.roll_deg})
      text += cell(angle, 1);
    text += fmt::format("{},{},{},\"{}\"\n", cell(row.mm_per_pixel, 3), row.valid ? 1 : 0,
                        row.voided_by, row.measure->formula);
  }
  return text;
}

}  // namespace vultus::measure
