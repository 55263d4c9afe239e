#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/measure/sheet.hpp"
#include "models/process/summary.hpp"
#include "models/report/curves.hpp"
#include "models/report/thumbnails.hpp"

namespace vultus::report {

/// What the page tells of a recording and of how it was measured.
struct Origin {
  int width = 0, height = 0;  ///< pixels, upright
  std::string command, version, date;
  struct Network {
    std::string role, kind, file, sha256;
  };
  std::vector<Network> networks;
  std::string pack_licence, pack_notes;
};

struct ReportInput {
  const Summary& summary;
  Origin origin;
  RecordSource records;
  measure::MeasureOptions measure;
  const measure::Sheet& sheet;
};

/// report.html of one video or picture: one file that asks for nothing else, below 2 MB however
/// long the video is. Records are read several times, in constant memory; the input is decoded once
/// more for the pictures of the face. unwritable; bad_input when the input has gone.
Result<void> write_report(const std::string& path, const ReportInput& input);

/// The page as text, from what was gathered.
std::string report_page(const ReportInput& input, const Curves& curves,
                        const Thumbnails& thumbnails);

/// A frame that stands for something: "At rest", "Peak of the mouth".
struct NamedMoment {
  std::string name;
  int64_t frame = 0;
};
/// The frames that the sheet speaks of; of a picture, itself.
std::vector<NamedMoment> moments_of(const measure::Sheet& sheet, int64_t frames);

/// What the page shows of the records: action units of the network and of the eyelids, flags.
SampleSource samples_of(const RecordSource& records, const measure::MeasureOptions& options,
                        measure::Survey survey);

}  // namespace vultus::report
