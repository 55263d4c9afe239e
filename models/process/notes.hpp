#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/process/process.hpp"
#include "models/video/reader.hpp"

namespace vultus {

/// Frames by their number, in increasing order.
class FrameRanges {
 public:
  void add(int64_t frame);
  int64_t count() const { return frames_; }
  /// "31-40, 77"; of many the first.
  std::string text() const;

 private:
  std::vector<std::pair<int64_t, int64_t>> ranges_;
  int64_t frames_ = 0;
};

/// What reading says is missing, one sentence each.
std::vector<std::string> lost_sentences(const ReadSummary& read);
/// Which frames are damaged; nothing where none is.
std::optional<std::string> damaged_sentence(const FrameRanges& damaged);

/// What to know of the faces that were looked for, one sentence each. `restarts`: how often the
/// face had to be found anew; `most_faces`: found in one frame.
std::vector<std::string> face_sentences(const Summary& summary, const ProcessOptions& options,
                                        int restarts, size_t most_faces);

}  // namespace vultus
