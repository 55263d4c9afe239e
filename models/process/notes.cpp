#include "models/process/notes.hpp"

#include <fmt/format.h>

namespace vultus {

namespace {

std::string frames(int64_t count) {
  return fmt::format("{} frame{}", count, count == 1 ? "" : "s");
}

}  // namespace

std::vector<std::string> lost_sentences(const ReadSummary& read) {
  std::vector<std::string> lost;
  if (read.lost_frames() > 0)
    lost.push_back(fmt::format("the file declares {} frames, {} could be decoded: {} are lost",
                               read.declared_frames, read.decoded_frames, read.lost_frames()));
  if (read.damaged_frames > 0)
    lost.push_back(fmt::format("{} frames were decoded with errors and are not measured",
                               read.damaged_frames));
  if (read.decoder_errors > 0)
    lost.push_back(fmt::format("{} packets could not be decoded", read.decoder_errors));
  return lost;
}

std::vector<std::string> face_sentences(const Summary& summary, const ProcessOptions& options,
                                        int restarts, size_t most_faces) {
  std::vector<std::string> notes;
  if (summary.frames_without_face == summary.frames)
    notes.push_back("no face was found: nothing was measured");
  if (restarts > 0)
    notes.push_back(
        fmt::format("the face was lost and found again, or the scene changed, {}: see "
                    "face_id; it may be another person",
                    restarts == 1 ? "once" : fmt::format("{} times", restarts)));
  if (!options.all_faces && most_faces > 1)
    notes.push_back(
        fmt::format("{} faces were found in a frame, and one of them measured, that "
                    "with the highest score: see the overlay, or use --faces all",
                    most_faces));
  if (options.mirror && summary.frames_without_face > 0)
    notes.push_back(fmt::format("{} without a face: unchanged in the mirrored videos or pictures",
                                frames(summary.frames_without_face)));
  return notes;
}

}  // namespace vultus
