#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/report/sections.hpp"
#include "report/page.hpp"
#include "report/text.hpp"

namespace vultus::report {

namespace {

using measure::SheetRow;

std::string picture(const std::string& address, std::string_view words, const Thumbnail& of,
                    bool timed) {
  if (address.empty()) return {};
  const std::string time =
      timed && of.seconds ? fmt::format(" data-seconds=\"{:.3f}\"", *of.seconds) : "";
  return fmt::format(
      "<div><img src=\"{}\" alt=\"{}, {}\"{} width=\"240\" height=\"240\">{}</div>\n", address,
      escaped(words), escaped(moment(of.frame, of.seconds)), time, escaped(words));
}

/// So many that the larger side has three digits, and no more than its unit is worth.
int digits_of(const SheetRow& row) {
  const double most = std::max({std::abs(row.left.value_or(0)), std::abs(row.right.value_or(0)),
                                std::abs(row.difference.value_or(0))});
  const int digits = most >= 100 ? 0 : most >= 10 ? 1 : most >= 1 ? 2 : 3;
  return row.unit == "mm" ? std::min(digits, 2) : row.unit == "mm2" ? std::min(digits, 1) : digits;
}

std::string readable(std::string_view name) {
  std::string out(name);
  std::ranges::replace(out, '_', ' ');
  return out;
}

bool empty(const SheetRow& row) {
  return !row.left && !row.right && !row.difference;
}

std::string table_of(const measure::Sheet& sheet, measure::Region region) {
  using Kind = Table::Kind;
  std::string heading(measure::name_of(region));
  heading[0] = static_cast<char>(std::toupper(heading[0]));
  const auto& peak = sheet.peaks[static_cast<size_t>(region)];
  if (peak)
    heading += fmt::format("; most change at {}", moment(peak->moment.frame, peak->moment.seconds));
  Table table(heading, {{"Measure"},
                        {"When"},
                        {"Left", Kind::number},
                        {"Right", Kind::number},
                        {"Difference", Kind::number},
                        {"Scatter", Kind::number},
                        {"%", Kind::number},
                        {"Unit"},
                        {"Yaw", Kind::number},
                        {"Pitch", Kind::number},
                        {"Valid"},
                        {"Formula"}});
  for (const SheetRow& row : sheet.rows) {
    if (row.measure->region != region || empty(row)) continue;
    const int digits = digits_of(row);
    const std::string css = row.valid ? "" : "void";
    table.row({{readable(row.measure->name)},
               {std::string(measure::name_of(row.state))},
               number_cell(row.left, digits, css),
               number_cell(row.right, digits, css),
               number_cell(row.difference, digits, css),
               number_cell(row.difference_spread, digits, css),
               number_cell(row.percent, 0, css),
               {std::string(row.unit)},
               number_cell(row.yaw_deg, 0, css),
               number_cell(row.pitch_deg, 0, css),
               {row.valid ? "yes" : "no: " + readable(row.voided_by)},
               {row.measure->formula}});
  }
  return table.html();
}

}  // namespace

std::string moments_section(const std::vector<NamedMoment>& moments, const Thumbnails& thumbnails) {
  std::string figures;
  for (size_t i = 0; i < thumbnails.moments.size() && i < moments.size(); ++i) {
    if (!thumbnails.moments[i]) continue;
    const Thumbnail& shown = *thumbnails.moments[i];
    figures += fmt::format(
        "<figure class=\"moment\">\n<figcaption>{} <span>{}</span></figcaption>\n<div "
        "class=\"triple\">\n{}{}{}</div>\n</figure>\n",
        escaped(moments[i].name), escaped(moment(shown.frame, shown.seconds)),
        picture(shown.whole, "as filmed", shown, true),
        picture(shown.right, "right half twice", shown, false),
        picture(shown.left, "left half twice", shown, false));
  }
  if (figures.empty()) return {};
  return paragraph(
             "Left and right are the subject's own. A half shown twice is what that side's action "
             "units are measured on.") +
         "<div class=\"moments\">\n" + figures + "</div>\n";
}

std::string sheet_section(const measure::Sheet& sheet) {
  std::string tables;
  for (const auto region : {measure::Region::brows, measure::Region::eyes, measure::Region::mouth})
    tables += table_of(sheet, region);
  if (tables.empty()) return list(sheet.notes);
  if (sheet.mm_per_pixel)
    tables = paragraph(fmt::format("One pixel is {:.2f} mm of this face.", *sheet.mm_per_pixel)) +
             tables;
  const auto without = std::ranges::count_if(sheet.rows, empty);
  if (without > 0)
    tables += paragraph(fmt::format("{} of the sheet without a value: asymmetry.csv says why.",
                                    count(static_cast<double>(without), "row")));
  return list(sheet.notes) +
         paragraph(
             "Difference is left minus right; scatter is its median absolute deviation within the "
             "frames, no error of the value; % is the difference over the larger side. Yaw and "
             "pitch are the head's, in degrees. icd is the distance of the inner corners of the "
             "eyes. Numbers in italics are not valid, and the table says why. All columns are in "
             "asymmetry.csv, the formulas and what a turned head does to them are explained in "
             "docs/measures.md.") +
         tables;
}

}  // namespace vultus::report
