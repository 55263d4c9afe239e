#pragma once

#include <string>

#include "models/report/report.hpp"
#include "report/page.hpp"

namespace vultus::report {

/// "0:01.25", "1:02:03.00"
std::string clock(double seconds);
/// "0:01.25, frame 31"; a picture has no time.
std::string moment(int64_t frame, const std::optional<double>& seconds);

/// A dash where there is nothing, sorted below every number.
Table::Cell number_cell(const std::optional<double>& value, int digits, std::string css = {});

// The parts of the page, markup; empty where there is nothing to show.
std::string moments_section(const std::vector<NamedMoment>& moments, const Thumbnails& thumbnails);
/// How many of the sheet's numbers are valid, and why the others are not.
std::string outcome_sentence(const measure::Outcome& outcome);
std::string sheet_section(const measure::Sheet& sheet, double pupil_distance_mm);
/// `sheet_face`: the track that the sheet is of.
std::string curves_section(const Summary& summary, const Curves& curves,
                           const Thumbnails& thumbnails, int sheet_face);
std::string quality_section(const Summary& summary, const Curves& curves);
std::string times_section(const Summary& summary);
std::string origin_section(const Summary& summary, const Origin& origin);
std::string footer_text();

}  // namespace vultus::report
