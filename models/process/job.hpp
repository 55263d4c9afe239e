#pragma once

#include <chrono>
#include <string>

#include "models/measure/sheet.hpp"
#include "models/process/output_folder.hpp"
#include "models/process/process.hpp"

namespace vultus {

/// One input while it is worked on.
struct Processor::Job {
  std::string input;
  OutputFolder& folder;
  Summary& summary;
  face::StageTimes& times;
  ProcessOptions options;     ///< the processor's, with what finished results keep of theirs
  std::string identity = {};  ///< of what is measured: program, settings, source
  bool remake = false;        ///< nothing is left to measure
  size_t most_faces = 0;      ///< found in one frame
  measure::Sheet sheet = {};
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();

  std::string file(const std::string& name) const { return folder.working() + "/" + name; }
  /// The journal's, read from its beginning each time.
  measure::RecordSource records() const;
};

}  // namespace vultus
