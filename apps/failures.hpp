#pragma once

#include <string>
#include <vector>

#include "host/core/result.hpp"

namespace vultus::app {

/// An input that gave no results, or not all.
struct Failure {
  std::string input;
  int exit_code = 0;
  std::string reason;
  std::string command;  ///< tries it again, from any folder
};

/// The entries of OUT/failed.csv that still hold: not those whose input has come to its end now
/// (`settled`, absolute paths) or has complete results in OUT. None where there is no such file.
std::vector<Failure> earlier_failures(const std::string& out,
                                      const std::vector<std::string>& settled);

/// OUT/failed.csv: input, exit_code, reason and command, one line each; quoted as RFC 4180 says.
/// Without failures there is none, and one that is there goes.
Result<void> write_failures(const std::string& out, const std::vector<Failure>& failures);

/// OUT/summary.csv: a row for all results that lie in OUT, whichever run made them, and for each
/// failure that left none. `face_percent` of the frames have a face, in `usable_percent` the face
/// of the asymmetry sheet carries no flag that voids it; `mirrored_input` is 1 where the results
/// were made with --mirrored-input, else 0. Nothing is written where there is no row.
Result<void> write_overview(const std::string& out, const std::vector<Failure>& failures);

}  // namespace vultus::app
