#include <fmt/format.h>

#include "models/measure/sheet.hpp"

namespace vultus::measure {

namespace {

std::string cell(const std::optional<double>& value) {
  return value ? fmt::format("{:.4f}", *value) : "";
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
      "difference_spread,frame,timestamp,frames,face_id,valid,voided_by,formula\n";
  const std::string id = sheet.face_id < 0 ? "" : fmt::format("{}", sheet.face_id);
  for (const SheetRow& row : sheet.rows) {
    const std::optional<Moment> moment = moment_of(sheet, row);
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},\"{}\"\n",
                        row.measure->name, name_of(row.state), row.unit, cell(row.left),
                        cell(row.right), cell(row.difference), cell(row.percent),
                        cell(row.left_spread), cell(row.right_spread), cell(row.difference_spread),
                        moment ? fmt::format("{}", moment->frame) : "",
                        moment && moment->seconds ? fmt::format("{:.6f}", *moment->seconds) : "",
                        row.frames, id, row.valid ? 1 : 0, row.voided_by, row.measure->formula);
  }
  return text;
}

}  // namespace vultus::measure
