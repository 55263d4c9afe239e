#include "models/measure/anatomy.hpp"

namespace vultus::measure {

namespace {

// WFLW: Wu et al. 2018, "Look at Boundary"; iBUG: Sagonas et al. 2013, "300 Faces in-the-Wild".
const HalfFace kImageLeft98{
    60, 64, 76, HalfFace::Detail{{61, 62, 63}, {67, 66, 65}, {33, 34, 35, 36, 37, 38}, 96}};
const HalfFace kImageRight98{
    72, 68, 82, HalfFace::Detail{{71, 70, 69}, {73, 74, 75}, {46, 45, 44, 43, 42, 50}, 97}};
const HalfFace kImageLeft68{36, 39, 48, std::nullopt};
const HalfFace kImageRight68{45, 42, 54, std::nullopt};
const MiddleFace kMiddle98{51, 52, 53, 54, 57, 85, 90, 94, {88, 89, 90, 91, 92, 93, 94, 95}};
const MiddleFace kMiddle68{27, 28, 29, 30, 33, 57, 62, 66, {60, 61, 62, 63, 64, 65, 66, 67}};

}  // namespace

const HalfFace& Sides::half(LandmarkScheme scheme, Side subject) const {
  const bool image_left = (subject == Side::right) != mirrored_input;
  if (scheme == LandmarkScheme::wflw98) return image_left ? kImageLeft98 : kImageRight98;
  return image_left ? kImageLeft68 : kImageRight68;
}

const MiddleFace& middle_of(LandmarkScheme scheme) {
  return scheme == LandmarkScheme::wflw98 ? kMiddle98 : kMiddle68;
}

std::span<const int> points_of(LandmarkScheme scheme, Region region) {
  static constexpr std::array kBrows98{33, 34, 35, 36, 37, 38, 42, 43, 44, 45, 46, 50};
  static constexpr std::array kBrows68{17, 18, 19, 20, 21, 22, 23, 24, 25, 26};
  static constexpr std::array kEyes98{60, 61, 62, 63, 64, 65, 66, 67,
                                      68, 69, 70, 71, 72, 73, 74, 75};
  static constexpr std::array kEyes68{36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47};
  static constexpr std::array kMouth98{76, 82, 88, 92};
  static constexpr std::array kMouth68{48, 54, 60, 64};
  const bool wflw = scheme == LandmarkScheme::wflw98;
  switch (region) {
    case Region::brows:
      return wflw ? std::span<const int>(kBrows98) : kBrows68;
    case Region::eyes:
      return wflw ? std::span<const int>(kEyes98) : kEyes68;
    case Region::mouth:
      return wflw ? std::span<const int>(kMouth98) : kMouth68;
  }
  return {};
}

std::string_view name_of(Region region) {
  switch (region) {
    case Region::brows:
      return "brows";
    case Region::eyes:
      return "eyes";
    case Region::mouth:
      return "mouth";
  }
  return "";
}

std::array<int, 5> nose_of(LandmarkScheme scheme) {
  const MiddleFace& m = middle_of(scheme);
  return {m.nasion, m.upper_bridge, m.lower_bridge, m.nose_tip, m.subnasale};
}

}  // namespace vultus::measure
