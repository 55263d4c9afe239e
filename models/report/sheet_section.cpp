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

/// Reasons as they stand in a table.
std::string reasons(std::string text) {
  for (size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.replace(at, 1, ", ");
  return readable(text);
}

struct Reason {
  std::string_view word, sentence;
};
constexpr std::array kReasons{
    Reason{"yaw", "the head is turned to a side"},
    Reason{"pitch", "the head is nodded or raised"},
    Reason{"roll", "the head is tilted"},
    Reason{"small_face", "the face is too small in the picture"},
    Reason{"coarse_pixels", "a pixel is more than 2 mm of the face: film it larger"},
    Reason{"partial", "the face is cut off by the border"},
    Reason{"low_score", "the detector is not sure of the face"},
    Reason{"blur", "the face is out of focus or moves too fast: more light helps"},
    Reason{"turned", "the head turned since rest"},
    Reason{"rescaled", "the face came nearer or went away since rest"},
    Reason{"no_movement", "nothing moved there"},
    Reason{"no_baseline", "there is no rest to compare with"},
    Reason{"short_baseline", "the baseline is too short"},
};

/// The measures whose rows are empty for this reason.
std::string measures_without(const measure::Sheet& sheet, std::string_view reason) {
  std::string names;
  std::string_view last;
  for (const SheetRow& row : sheet.rows)
    if (row.voided_by == reason && row.measure->name != last) {
      last = row.measure->name;
      names += (names.empty() ? "" : ", ") + readable(last);
    }
  return names;
}

std::string not_measured(const measure::Sheet& sheet) {
  std::string out;
  const auto tell = [&](std::string_view reason, std::string_view why) {
    if (const std::string names = measures_without(sheet, reason); !names.empty())
      out += paragraph(fmt::format("Not measured with this pack, {}: {}.", why, names));
  };
  tell("needs_98_points", "whose landmarks are fewer than 98");
  tell("needs_expression_network", "which has no network for action units");
  return out;
}

std::string table_of(const measure::Sheet& sheet, measure::Region region) {
  using Kind = Table::Kind;
  std::string heading(measure::name_of(region));
  heading[0] = static_cast<char>(std::toupper(heading[0]));
  const auto& peak = sheet.peaks[static_cast<size_t>(region)];
  if (peak)
    heading += fmt::format("; {}most change at {}",
                           peak->movement > peak->needed ? "" : "no movement was found, ",
                           moment(peak->moment.frame, peak->moment.seconds));
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
    if (row.measure->region != region || !has_value(row)) continue;
    const int digits = digits_of(row);
    const std::string css = row.valid ? "" : "void";
    table.row({{readable(row.measure->name), 0, "words"},
               {std::string(measure::name_of(row.state)), 0, "keep"},
               number_cell(row.left, digits, css),
               number_cell(row.right, digits, css),
               number_cell(row.difference, digits, css),
               number_cell(row.difference_spread, digits, css),
               number_cell(row.percent, 0, css),
               {std::string(row.unit), 0, "keep"},
               number_cell(row.yaw_deg, 0, css),
               number_cell(row.pitch_deg, 0, css),
               {row.valid ? "yes" : "no: " + reasons(row.voided_by), 0, "words"},
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

std::string outcome_sentence(const measure::Outcome& outcome) {
  std::string why;
  for (const auto& [word, rows] : outcome.reasons)
    if (const auto known = std::ranges::find(kReasons, word, &Reason::word);
        known != kReasons.end())
      why += fmt::format("{}{} ({})", why.empty() ? "" : ", ", known->sentence,
                         count(static_cast<double>(rows)));
  if (outcome.rows == 0)
    return fmt::format("No left and right of this face could be compared{}{}.",
                       why.empty() ? "" : ": ", why);
  return fmt::format("{} of the {} in the asymmetry sheet {} valid{}.",
                     outcome.valid == 0 ? "None" : count(static_cast<double>(outcome.valid)),
                     count(static_cast<double>(outcome.rows), "number"),
                     outcome.valid == 1 ? "is" : "are",
                     why.empty() ? "" : "; the others are not: " + why);
}

std::string sheet_section(const measure::Sheet& sheet, double pupil_distance_mm) {
  std::string tables;
  for (const auto region : {measure::Region::brows, measure::Region::eyes, measure::Region::mouth})
    tables += table_of(sheet, region);
  if (tables.empty()) return list(sheet.notes) + not_measured(sheet);
  if (sheet.mm_per_pixel)
    tables =
        paragraph(fmt::format(
            "Millimetres rest on {} mm between the pupils (--pupil-distance; 63 is the mean of "
            "adults): one pixel is {:.2f} mm of this face then.",
            number(pupil_distance_mm), *sheet.mm_per_pixel)) +
        tables;
  tables += not_measured(sheet);
  return list(sheet.notes) +
         paragraph(
             "Difference is left minus right; scatter is its median absolute deviation within the "
             "frames, no error of the value; % is the difference over the larger side. Yaw and "
             "pitch are the head's, in degrees: yaw above 0 to the left of the picture, pitch "
             "above "
             "0 down. fai is the facial asymmetry index; icd, the distance of the inner corners of "
             "the eyes. Numbers in italics are not valid, and the table says why. Formulas name "
             "points by their numbers among the 98 of WFLW, those of the right side; the left is "
             "its mirror image, and with other points the same places are meant. All columns are "
             "in asymmetry.csv; docs/measures.md of the program explains the formulas and what a "
             "turned head does to them.") +
         tables;
}

}  // namespace vultus::report
