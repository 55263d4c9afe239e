#include "models/process/notes.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vultus {

namespace {

std::string frames(int64_t count) {
  return fmt::format("{} frame{}", count, count == 1 ? "" : "s");
}

}  // namespace

std::vector<std::string> lost_sentences(const ReadSummary& read) {
  std::vector<std::string> lost = read.missing;
  if (read.lost_frames() > 0)
    lost.push_back(fmt::format("the file declares {} frames, {} could be decoded: {} are lost",
                               read.declared_frames, read.decoded_frames, read.lost_frames()));
  if (read.decoder_errors > 0)
    lost.push_back(fmt::format("{} packets could not be decoded", read.decoder_errors));
  return lost;
}

void FrameRanges::add(int64_t frame) {
  ++frames_;
  if (!ranges_.empty() && ranges_.back().second + 1 == frame)
    ranges_.back().second = frame;
  else
    ranges_.emplace_back(frame, frame);
}

std::string FrameRanges::text() const {
  constexpr size_t kMost = 20;
  std::string out;
  for (size_t i = 0; i < std::min(kMost, ranges_.size()); ++i) {
    const auto [first, last] = ranges_[i];
    out += fmt::format("{}{}", out.empty() ? "" : ", ", first);
    if (last > first) out += fmt::format("-{}", last);
  }
  return ranges_.size() > kMost ? out + fmt::format(" and {} more", ranges_.size() - kMost) : out;
}

std::optional<std::string> damaged_sentence(const FrameRanges& damaged) {
  if (damaged.count() == 0) return std::nullopt;
  return fmt::format(
      "{} decoded with errors, or predicted from pictures that were, and not measured: {}",
      damaged.count() == 1 ? "1 frame was" : fmt::format("{} frames were", damaged.count()),
      damaged.text());
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
