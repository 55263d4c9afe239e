#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/core/result.hpp"
#include "models/measure/quality.hpp"

namespace vultus::report {

/// An action unit as the page names it.
struct ActionUnit {
  std::string_view code, name, zone;
};
/// From the brows down; AU43 and AU45 come from the eyelids' points, the others from the network.
inline constexpr std::array<ActionUnit, 10> kActionUnits{{{"AU01", "Inner brow raiser", "Brows"},
                                                          {"AU02", "Outer brow raiser", "Brows"},
                                                          {"AU04", "Brow lowerer", "Brows"},
                                                          {"AU43", "Eyes closed", "Eyes"},
                                                          {"AU45", "Blink", "Eyes"},
                                                          {"AU06", "Cheek raiser", "Mid-face"},
                                                          {"AU09", "Nose wrinkler", "Mid-face"},
                                                          {"AU12", "Lip corner puller", "Mouth"},
                                                          {"AU25", "Lips part", "Mouth"},
                                                          {"AU26", "Jaw drop", "Mouth"}}};

/// What the page shows of one face in one frame.
struct FaceSample {
  int id = 0;
  /// Scores 0..1 in the order of kActionUnits, the subject's own sides; nothing: not measured.
  std::array<std::optional<float>, kActionUnits.size()> left, right;
  /// Why it is not to be trusted. Curves and extents leave out what measure::kVoidsExpression
  /// voids.
  measure::Flags flags;
};
struct FrameSample {
  int64_t frame = 0;              ///< from 1
  std::optional<double> seconds;  ///< nothing for a picture
  bool damaged = false;
  std::vector<FaceSample> faces;
};
using SampleVisitor = std::function<Result<void>(const FrameSample&)>;
/// Shows every frame in order, and can be asked again.
using SampleSource = std::function<Result<void>(const SampleVisitor&)>;

/// A value over time, in thousandths; kGap where there is none.
inline constexpr int kGap = -1;
using Series = std::vector<int>;

/// Of one action unit on one side over all frames in which it was measured.
struct Extent {
  int64_t frames = 0;
  double sum = 0;
  float largest = 0;
  int64_t largest_frame = 0;  ///< the first with that value
  std::optional<double> largest_seconds;

  double mean() const { return frames > 0 ? sum / static_cast<double>(frames) : 0; }
};

/// The curves of one track, or of all where there never are two at a time: then a slot is that of
/// the first track in it.
struct FaceCurves {
  std::optional<int> id;  ///< of the track that `frames` and the extents are of
  int64_t frames = 0;     ///< with that track
  std::array<Series, kActionUnits.size()> left, right;
  std::array<Extent, kActionUnits.size()> left_extent, right_extent;
};

/// Slots whose curves are of one track.
struct TrackRun {
  int id = 0;
  int first = 0, last = 0;
};

/// When something was so: runs of slots, first and last.
struct Lane {
  std::string name;
  int64_t frames = 0;
  int64_t first_frame = 0;
  std::vector<std::pair<int, int>> runs;
};

/// A video's curves. Up to kExactFrames every frame is a slot with one point. Beyond, at most
/// kMostSlots slots of `frames_per_slot` frames: each has two points, the least and the largest
/// value in it in the order in which they came.
struct Curves {
  static constexpr int64_t kExactFrames = 4000, kMostSlots = 2000;
  static constexpr size_t kMostFaces = 4;

  int64_t frames = 0, frames_per_slot = 1;
  bool has_times = false;
  std::vector<double> starts;     ///< of each slot, seconds; frame numbers where there are no times
  double end = 0;                 ///< of the last frame
  std::vector<FaceCurves> faces;  ///< most frames first
  size_t faces_left_out = 0;      ///< beyond kMostFaces
  size_t tracks = 0;              ///< ids in the video, of one face or of several
  std::vector<TrackRun> runs;     ///< in order; nothing where tracks have curves of their own
  std::vector<Lane> lanes;        ///< no face, damaged, new face; then every flag that occurs
  int points_per_slot() const { return frames_per_slot > 1 ? 2 : 1; }
};

/// Two passes over the source, in constant memory. `frames`: how many it has. Where one track
/// follows the other the extents are of `told`, or of the longest where that is none of them.
Result<Curves> make_curves(const SampleSource& source, int64_t frames, int told = -1);

/// As text for the page's script.
std::string to_json(const Curves& curves);

}  // namespace vultus::report
