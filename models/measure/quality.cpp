#include "models/measure/quality.hpp"

#include <algorithm>
#include <cmath>

namespace vultus::measure {

std::string_view name_of(Flag flag) {
  switch (flag) {
    case Flag::small_face:
      return "small_face";
    case Flag::yaw:
      return "yaw";
    case Flag::pitch:
      return "pitch";
    case Flag::roll:
      return "roll";
    case Flag::partial:
      return "partial";
    case Flag::two_faces:
      return "two_faces";
    case Flag::low_score:
      return "low_score";
    case Flag::blur:
      return "blur";
  }
  return "";
}

std::string Flags::text() const {
  std::string text;
  for (int i = 0; i < kFlags; ++i) {
    const auto flag = static_cast<Flag>(i);
    if (!has(flag)) continue;
    if (!text.empty()) text += '|';
    text += name_of(flag);
  }
  return text;
}

Flags quality_of(const FaceRecord& measured, const std::optional<HeadPose>& pose, cv::Size picture,
                 size_t faces) {
  const face::TrackedFace& face = measured.face;
  Flags flags;
  if (!(face::eye_distance(face.landmarks) >= kSmallFacePx)) flags.add(Flag::small_face);
  if (pose && std::abs(pose->yaw) > kYawLimit) flags.add(Flag::yaw);
  if (pose && std::abs(pose->pitch) > kPitchLimit) flags.add(Flag::pitch);
  if (pose && std::abs(pose->roll) > kRollLimit) flags.add(Flag::roll);
  const bool outside =
      std::any_of(face.landmarks.points.begin(), face.landmarks.points.end(), [&](const Point& p) {
        return !(p.x >= 0 && p.y >= 0 && p.x <= picture.width - 1 && p.y <= picture.height - 1);
      });
  if (outside) flags.add(Flag::partial);
  if (faces > 1) flags.add(Flag::two_faces);
  if (face.score < kLowScore) flags.add(Flag::low_score);
  if (measured.blur && *measured.blur > kBlurLimit) flags.add(Flag::blur);
  return flags;
}

}  // namespace vultus::measure
