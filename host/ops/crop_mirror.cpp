#include <algorithm>
#include <cmath>

#include "host/ops/crop_taps.hpp"

namespace vultus {

namespace {

/// A line beyond this is a mistake, and kernels in float would overflow.
constexpr double kFarAway = 1e9;

/// Bilinear, the border repeated, rounded.
std::array<float, 3> reflected_pixel(const PicturePixels& picture, double y, double x) {
  const double low_y = std::floor(y), low_x = std::floor(x);
  const auto down = static_cast<float>(y - low_y), across = static_cast<float>(x - low_x);
  auto at = [&](double row, double column) {
    return pixel_of(
        picture,
        static_cast<int64_t>(std::clamp(row, 0.0, static_cast<double>(picture.height - 1))),
        static_cast<int64_t>(std::clamp(column, 0.0, static_cast<double>(picture.width - 1))));
  };
  const auto upper_left = at(low_y, low_x), upper_right = at(low_y, low_x + 1);
  const auto lower_left = at(low_y + 1, low_x), lower_right = at(low_y + 1, low_x + 1);
  std::array<float, 3> bgr{};
  for (size_t c = 0; c < 3; ++c) {
    const float upper = upper_left[c] + across * (upper_right[c] - upper_left[c]);
    const float lower = lower_left[c] + across * (lower_right[c] - lower_left[c]);
    bgr[c] = std::floor(upper + down * (lower - upper) + 0.5f);
  }
  return bgr;
}

}  // namespace

std::array<float, 3> mirrored_pixel(const PicturePixels& picture, const MirrorLine& line, int64_t y,
                                    int64_t x) {
  const std::array<float, 3> own = pixel_of(picture, y, x);
  const auto at_x = static_cast<double>(x), at_y = static_cast<double>(y);
  const double t = (at_x - line.x) * line.normal_x + (at_y - line.y) * line.normal_y;
  const double weight = std::clamp(0.5 + line.side * t / double{kMirrorSeam}, 0.0, 1.0);
  if (line.side == 0 || !(std::abs(t) < kFarAway) || weight >= 1) return own;
  const double from_x = at_x - 2 * t * line.normal_x, from_y = at_y - 2 * t * line.normal_y;
  if (!std::isfinite(from_x) || !std::isfinite(from_y)) return own;
  std::array<float, 3> bgr = reflected_pixel(picture, from_y, from_x);
  for (size_t c = 0; c < 3; ++c)
    bgr[c] = std::floor(bgr[c] + static_cast<float>(weight) * (own[c] - bgr[c]) + 0.5f);
  return bgr;
}

}  // namespace vultus
