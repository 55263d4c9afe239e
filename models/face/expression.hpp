#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace vultus::face {

/// What the multitask network says of one picture of a face.
struct Expression {
  /// Action units in the network's order, which is that of DISFA's labels it was trained on.
  static constexpr std::array<std::string_view, 8> kActionUnits{"AU01", "AU02", "AU04", "AU06",
                                                                "AU09", "AU12", "AU25", "AU26"};
  static constexpr size_t kEmotions = 8;  ///< their names and order are the pack's

  std::array<float, kActionUnits.size()> action_units{};  ///< presence scores, 0..1
  std::array<float, kEmotions> emotions{};                ///< probabilities
  /// Radians; x = -cos(pitch) sin(yaw), y = -sin(pitch), z = -cos(pitch) cos(yaw) is the direction
  /// of view with x to the right of the picture, y down and z away from the camera.
  float gaze_yaw = 0, gaze_pitch = 0;
};

}  // namespace vultus::face
