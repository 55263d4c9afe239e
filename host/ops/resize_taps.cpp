#include <algorithm>
#include <cmath>

#include "host/ops/resize.hpp"

namespace vultus {

namespace {

/// Where output position `o` lies in the input; may be outside of it.
float source_position(const ResizeMode& mode, const ResizeAxis& axis, int64_t o) {
  const auto x = static_cast<float>(o), in = static_cast<float>(axis.in),
             out = static_cast<float>(axis.out);
  if (mode.coordinates == "asymmetric") return x / axis.scale;
  if (mode.coordinates == "align_corners") return axis.out == 1 ? 0 : x * (in - 1) / (out - 1);
  if (mode.coordinates == "tf_half_pixel_for_nn") return (x + 0.5f) / axis.scale;
  if (mode.coordinates == "tf_crop_and_resize") {
    const float begin = axis.crop_begin * (in - 1),
                span = (axis.crop_end - axis.crop_begin) * (in - 1);
    return axis.out == 1 ? begin + span / 2 : begin + x * span / (out - 1);
  }
  const float half_pixel = (x + 0.5f) / axis.scale - 0.5f;
  if (mode.coordinates == "half_pixel_symmetric")
    return half_pixel + in / 2 * (1 - out / (axis.scale * in));
  return mode.coordinates == "pytorch_half_pixel" && axis.out == 1 ? 0 : half_pixel;
}

int64_t nearest(const ResizeMode& mode, float position, float scale) {
  float rounded = 0;
  if (mode.nearest == "floor" || (mode.nearest == "simple" && scale >= 1))
    rounded = std::floor(position);
  else if (mode.nearest == "ceil" || mode.nearest == "simple")
    rounded = std::ceil(position);
  else if (mode.nearest == "round_prefer_floor")
    rounded = std::ceil(position - 0.5f);
  else
    rounded = std::floor(position + 0.5f);
  return static_cast<int64_t>(rounded);
}

float triangle(float distance) {
  return std::max(0.0f, 1 - std::abs(distance));
}

/// Keys, "Cubic convolution interpolation", 1981.
float cubic(float distance, float a) {
  const float d = std::abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/// A kernel of `reach` input positions to either side, widened by `width` against aliasing.
struct Kernel {
  const ResizeMode& mode;
  float width = 1;  ///< at least 1
  int64_t reach = 1;

  int64_t taps() const { return 2 * reach; }
  float at(float distance) const {
    return mode.mode == "linear" ? triangle(distance / width)
                                 : cubic(distance / width, mode.cubic_a);
  }
};

Kernel kernel_of(const ResizeMode& mode, const ResizeAxis& axis) {
  Kernel kernel{mode};
  if (mode.antialias) kernel.width = std::max(1.0f, 1 / axis.scale);
  const float radius = mode.mode == "linear" ? 1 : 2;
  kernel.reach = static_cast<int64_t>(std::ceil(radius * kernel.width));
  return kernel;
}

/// Positions beyond the borders repeat them, unless they are excluded.
void push_weighted(ResizeTaps& taps, const Kernel& kernel, float position, int64_t in) {
  const auto first = static_cast<int64_t>(std::ceil(position)) - kernel.reach;
  std::vector<float> weights(static_cast<size_t>(kernel.taps()));
  float sum = 0;
  for (int64_t i = 0; i < kernel.taps(); ++i) {
    const int64_t at = first + i;
    const bool outside = kernel.mode.exclude_outside && (at < 0 || at >= in);
    weights[static_cast<size_t>(i)] = outside ? 0 : kernel.at(position - static_cast<float>(at));
    sum += weights[static_cast<size_t>(i)];
  }
  // All that counts lies outside: the border itself.
  if (sum == 0) weights[static_cast<size_t>(kernel.reach - 1)] = sum = 1;
  const bool normalise = kernel.mode.exclude_outside || kernel.mode.antialias;
  for (int64_t i = 0; i < kernel.taps(); ++i) {
    taps.index.push_back(std::clamp<int64_t>(first + i, 0, in - 1));
    taps.weight.push_back(weights[static_cast<size_t>(i)] / (normalise ? sum : 1));
  }
}

}  // namespace

ResizeTaps resize_taps(const ResizeMode& mode, const ResizeAxis& axis) {
  const Kernel kernel = kernel_of(mode, axis);
  const auto last = static_cast<float>(axis.in - 1);
  ResizeTaps taps;
  taps.count = mode.mode == "nearest" ? 1 : kernel.taps();
  for (int64_t o = 0; o < axis.out; ++o) {
    const float position = source_position(mode, axis, o);
    if (mode.coordinates == "tf_crop_and_resize" && !(position >= 0 && position <= last)) {
      taps.index.insert(taps.index.end(), static_cast<size_t>(taps.count), -1);
      taps.weight.insert(taps.weight.end(), static_cast<size_t>(taps.count), 0);
    } else if (mode.mode == "nearest") {
      taps.index.push_back(
          std::clamp<int64_t>(nearest(mode, position, axis.scale), 0, axis.in - 1));
      taps.weight.push_back(1);
    } else {
      push_weighted(taps, kernel, position, axis.in);
    }
  }
  return taps;
}

}  // namespace vultus
