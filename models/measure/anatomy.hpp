#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "models/face/landmarks.hpp"
#include "models/face/mirror.hpp"

namespace vultus::measure {

using face::Landmarks;
using face::LandmarkScheme;
using face::Point;
using face::Side;

/// Landmark numbers of one half of the face. The eye's lids go from the outer to the inner corner,
/// the brow's upper edge from its outer to its inner end.
struct HalfFace {
  int outer_canthus, inner_canthus;
  int commissure;
  /// Nothing with 68 points: iBUG has two points on a lid and one line along the brow, which are
  /// other points than WFLW's, and no pupils. Corners, lips and nose are the same in both.
  struct Detail {
    std::array<int, 3> upper_lid, lower_lid;
    std::array<int, 6> brow;
    int pupil;
  };
  std::optional<Detail> detail;
};

/// What lies on the midline, in both schemes.
struct MiddleFace {
  int nasion, upper_bridge, lower_bridge, nose_tip, subnasale;
  int lower_lip;                  ///< middle of the lower lip's outer edge
  int inner_upper, inner_lower;   ///< middles of the inner lips' edges
  std::array<int, 8> inner_lips;  ///< the polygon, in order
};

/// Which half of the picture is which half of the subject: the only place that decides it. A camera
/// shows the subject's right on the picture's left; a selfie that was stored mirrored does not.
struct Sides {
  bool mirrored_input = false;

  const HalfFace& half(LandmarkScheme scheme, Side subject) const;
  /// Of what was made for a camera that does not mirror, the subject's own left and right.
  template <class T>
  void to_subject(T& left, T& right) const {
    if (mirrored_input) std::swap(left, right);
  }
};
const MiddleFace& middle_of(LandmarkScheme scheme);

/// Parts of the face that move by themselves: the brows' upper edges, the eyes, and the corners of
/// the mouth (outer and inner lips), which a smile moves and an opened jaw hardly.
enum class Region : uint8_t { brows, eyes, mouth };
std::span<const int> points_of(LandmarkScheme scheme, Region region);
std::string_view name_of(Region region);
/// The nose from its root to its base, which no expression moves much: what it moves in the level
/// face tells of turns and of the network's tremble.
std::array<int, 5> nose_of(LandmarkScheme scheme);

}  // namespace vultus::measure
