#pragma once

#include <string>
#include <vector>

#include "apps/common.hpp"
#include "models/process/process.hpp"

namespace vultus::app {

/// What processing the files would take, without writing to settings.out: each is opened and
/// checked as a run would, and the first frames of one video of each picture size (three sizes at
/// most) are really processed, in a temporary folder. Prints a line an input and the sum; fills
/// `document` instead with `json`. What is done already, or needs no measuring, counts for nothing.
/// Returns the exit code of the run, as far as can be told: 3 where some cannot be done, theirs
/// where none can.
Result<int> dry_run(ProcessOptions settings, const std::vector<InputFile>& files, bool json,
                    Json& document);

}  // namespace vultus::app
