#pragma once

#include <string>
#include <vector>

#include "models/process/process.hpp"
#include "models/video/reader.hpp"

namespace vultus {

/// What reading says is missing, one sentence each.
std::vector<std::string> lost_sentences(const ReadSummary& read);

/// What to know of the faces that were looked for, one sentence each. `restarts`: how often the
/// face had to be found anew; `most_faces`: found in one frame.
std::vector<std::string> face_sentences(const Summary& summary, const ProcessOptions& options,
                                        int restarts, size_t most_faces);

}  // namespace vultus
