#pragma once

#include <cstdint>
#include <opencv2/core/types.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "models/measure/pose.hpp"
#include "models/process/record.hpp"

namespace vultus::measure {

/// Why measures of a face in a frame are not to be trusted.
enum class Flag : uint8_t { small_face, yaw, pitch, roll, partial, two_faces, low_score, blur };
inline constexpr int kFlags = 8;
std::string_view name_of(Flag flag);

/// A set of flags.
class Flags {
 public:
  constexpr Flags() = default;
  constexpr Flags(std::initializer_list<Flag> flags) {
    for (Flag flag : flags)
      add(flag);
  }
  constexpr void add(Flag flag) { bits_ |= bit(flag); }
  constexpr bool has(Flag flag) const { return (bits_ & bit(flag)) != 0; }
  constexpr bool any() const { return bits_ != 0; }
  constexpr Flags operator&(Flags other) const { return Flags(bits_ & other.bits_); }
  constexpr Flags operator|(Flags other) const { return Flags(bits_ | other.bits_); }
  /// Names joined by "|", empty when there are none: the cell `quality` of landmarks.csv.
  std::string text() const;

 private:
  constexpr explicit Flags(uint32_t bits) : bits_(bits) {}
  static constexpr uint32_t bit(Flag flag) { return 1u << static_cast<uint32_t>(flag); }
  uint32_t bits_ = 0;
};

/// Distance between the middles of the eyes below which a pixel is more than 2.6 mm of a 63 mm
/// face, a quarter of an open eye. Lengths and areas of the sheet ask for more (kMostMmPerPixel).
inline constexpr double kSmallFacePx = 24;
/// 15 and 25 degrees: beyond them no measure counts. They are no limits of what compares sides or
/// moments: each measure has its own, narrower ones (Measure::limit, kTurnLimit).
inline constexpr double kYawLimit = 0.2618;
inline constexpr double kPitchLimit = 0.4363;
/// 30 degrees: measures turn with the head, but crops and networks are made for upright faces.
inline constexpr double kRollLimit = 0.5236;
/// Detectors of the packs report from 0.5 on; real faces seen whole have more than 0.9.
inline constexpr double kLowScore = 0.7;

/// Of `face::blur_of`. Faces of the clips, all in focus, have up to 0.65; averaged with a Gaussian
/// of 2 % of their width, at which PFLD's points are off by 1 to 3 mm, 0.63 to 0.74; of 3 %, 2 to 9
/// mm, 0.73 and more.
inline constexpr double kBlurLimit = 0.7;

/// `faces` in the same frame. Without a pose neither yaw, pitch nor roll is flagged, and nothing
/// can be said of them.
Flags quality_of(const FaceRecord& measured, const std::optional<HeadPose>& pose, cv::Size picture,
                 size_t faces);

/// What makes lengths of the two sides incomparable.
inline constexpr Flags kVoidsGeometry{Flag::small_face, Flag::yaw,       Flag::pitch, Flag::roll,
                                      Flag::partial,    Flag::low_score, Flag::blur};
/// What makes the expression network's scores of halves doubtful: it was not trained on them.
inline constexpr Flags kVoidsExpression{Flag::yaw, Flag::roll, Flag::partial, Flag::low_score};
/// What makes a lid look closed that is not: nodding foreshortens the eye as a blink does.
inline constexpr Flags kVoidsEyes{Flag::small_face, Flag::yaw,       Flag::pitch, Flag::roll,
                                  Flag::partial,    Flag::low_score, Flag::blur};

}  // namespace vultus::measure
