#pragma once

#include <optional>

#include "models/measure/anatomy.hpp"

namespace vultus::measure {

/// Eye aspect ratio over all eight points: the mean of the three gaps between the lids over the
/// distance of the corners, (|61-67| + |62-66| + |63-65|) / (3 |60-64|) and its mirror image.
/// Nothing with 68 points or corners less than a pixel apart.
std::optional<double> eye_aspect_ratio(const Landmarks& landmarks, const HalfFace& half);

/// An eye's open aspect ratio is the 0.9 quantile over the frames of its track that no flag voids,
/// so that faces with narrow eyes are not taken for blinking; at least kLeastOpen, so that an eye
/// that never opens is not taken for open.
inline constexpr double kOpenQuantile = 0.9;
inline constexpr double kLeastOpen = 0.20;
/// Fewer frames than this do not tell how open an eye is: no closure then.
inline constexpr int kLeastFrames = 15;
/// Of the open aspect ratio, where the eye is shut: PFLD's points on shut eyes of the clips it was
/// calibrated on (smoothed) give 0.42 to 0.57, open ones 0.22 to 0.34 in absolute terms. A network
/// that follows the lids further reaches it before they touch.
inline constexpr double kShutShare = 0.55;

/// 1 - (clip(ear, shut, open) - shut) / (open - shut) with shut = kShutShare * open: 0 open, 1
/// shut.
double eye_closure(double ear, double open);

/// Closure from which an eye counts as closing. A stretch of such frames shorter than kBlinkSeconds
/// (from its first frame to the first one after it) is a blink, AU45; a longer one is eyes closed,
/// AU43. In every frame one of the two scores is the closure and the other zero; outside of
/// stretches it is AU45 that has it.
inline constexpr double kClosing = 0.5;
inline constexpr double kBlinkSeconds = 0.5;

/// Scores 0..1 of one eye. Nothing where the eye has no such points, a flag of kVoidsEyes stands,
/// or the track is too short to know the open eye; AU43 and AU45 also where frames have no time.
struct EyeMeasures {
  std::optional<double> ear;  ///< also where flags stand
  std::optional<double> closure, au43, au45;
};

}  // namespace vultus::measure
