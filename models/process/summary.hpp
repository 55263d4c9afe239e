#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/core/result.hpp"
#include "host/run/session.hpp"
#include "models/face/stage_times.hpp"

namespace vultus {

/// An option that results depend on, by the name that it has on the command line.
struct Setting {
  std::string name, value;
  bool operator==(const Setting&) const = default;
};

/// What one input has come to: the content of summary.json.
struct Summary {
  std::string input;
  std::string input_path;  ///< the same from the root
  std::string folder;
  bool complete = false;  ///< every frame of the file was decoded, has a row and is in every video
  bool skipped = false;   ///< was done before; not in the file
  /// Frames that an earlier run had measured, and why one could not be taken up; not in the file.
  int64_t resumed_at = 0;
  /// The same, also where tables alone were made again: the stages tell of the others.
  int64_t measured_before = 0;
  std::string begun_again;
  int resumptions = 0;  ///< runs before this one; not in the file
  std::string started;  ///< the first run, UTC; not in the file
  int64_t frames = 0;   ///< decoded; each has a row
  int64_t declared_frames = 0;
  int64_t lost_frames = 0;     ///< declared and not decoded
  int64_t damaged_frames = 0;  ///< decoded with errors: in the videos, not measured
  int64_t faces = 0;           ///< rows with a face
  int64_t frames_without_face = 0;
  int64_t usable_frames = 0;  ///< of the sheet's face, with no flag that voids geometry
  double seconds = 0;         ///< wall clock
  double fps = 0;             ///< frames per second of wall clock
  double video_fps = 0;
  std::string time_base;  ///< seconds per unit of pts, as "1/90000"; empty for a picture
  std::string device;
  std::string precision;
  int batch = 1;  ///< frames measured together; not in the file
  std::string pack;
  Transfers transfers;
  std::vector<face::StageTimes::Row> stages;
  std::string networks_ran;  ///< how, a sentence; empty where there is nothing to tell of a GPU
  /// Wall clock of this run alone, which the stages tell of, and how long at least one of them ran.
  double run_seconds = 0, busy_seconds = 0;
  std::vector<std::string> outputs;
  std::vector<std::string> lost;  ///< what is missing, one sentence each; empty when complete
  std::vector<std::string> warnings;
  std::vector<std::string> asymmetry;  ///< what asymmetry.csv rests on, one sentence each
  /// The frames that asymmetry.csv takes for rest; seconds, nothing without a baseline.
  struct Baseline {
    std::optional<double> from, to;
    int64_t frames = 0;  ///< of the face, without a flag
    std::string how;     ///< as measure::Baseline::how
  };
  Baseline baseline;
  std::optional<double> mm_per_pixel;            ///< of that face at rest
  int64_t sheet_numbers = 0, valid_numbers = 0;  ///< rows of asymmetry.csv with a value
  /// What the output depends on: size and time of change of the input; networks and options.
  std::string source, settings;
  std::vector<Setting> options;  ///< `settings` one by one
  /// Options that differed where tables and report alone were made again; not in the file.
  std::string remade;
  /// Options of finished results that this run did not name and left as they were; not in the file.
  std::vector<Setting> kept;
  std::string measured_by;  ///< the program that measured; in run.json alone
};

/// summary.json as text, with "status" "complete" or "partial".
std::string to_json(const Summary& summary);
Result<void> write_summary(const std::string& path, const Summary& summary);
/// The parts of a summary.json that tell whether it is finished and from what; nothing when the
/// file is not there or not ours.
std::optional<Summary> read_summary(const std::string& path);

}  // namespace vultus
