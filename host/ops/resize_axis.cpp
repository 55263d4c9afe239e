#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/ops/op.hpp"
#include "host/ops/resize.hpp"

namespace vultus {

Result<ResizeMode> resize_mode(const Node& node) {
  ResizeMode m;
  m.mode = node.text("mode", "nearest");
  if (m.mode != "nearest" && m.mode != "linear" && m.mode != "cubic")
    return fail(node,
                fmt::format("mode '{}' is not supported (nearest, linear, cubic are)", m.mode));
  const bool old = node.op == "Upsample" || node.opset < 11;
  m.coordinates = old ? "asymmetric" : node.text("coordinate_transformation_mode", "half_pixel");
  const auto known = {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric",
                      "tf_half_pixel_for_nn"};
  if (std::find(known.begin(), known.end(), m.coordinates) == known.end())
    return fail(node,
                fmt::format("coordinate_transformation_mode '{}' is not supported", m.coordinates));
  m.nearest = old ? "simple" : node.text("nearest_mode", "round_prefer_floor");
  const auto roundings = {"simple", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
  if (std::find(roundings.begin(), roundings.end(), m.nearest) == roundings.end())
    return fail(node, fmt::format("nearest_mode '{}' is unknown", m.nearest));
  m.cubic_a = node.real("cubic_coeff_a", -0.75f);
  m.exclude_outside = node.integer("exclude_outside", 0) != 0;
  if (node.integer("antialias", 0) != 0) return fail(node, "antialias is not supported");
  if (node.text("keep_aspect_ratio_policy", "stretch") != "stretch")
    return fail(node, "keep_aspect_ratio_policy other than stretch is not supported");
  return m;
}

Result<ResizeSizes> resize_sizes(const Node& node, const Shape& x, const std::vector<float>& scales,
                                 const std::vector<int64_t>& sizes) {
  std::vector<int64_t> axes = node.integers("axes");
  if (axes.empty())
    for (int d = 0; d < x.rank(); ++d)
      axes.push_back(d);
  const size_t given = scales.empty() ? sizes.size() : scales.size();
  if (given != axes.size())
    return fail(node, fmt::format("{} {} for {} axes", given, scales.empty() ? "sizes" : "scales",
                                  axes.size()));
  ResizeSizes r{x, std::vector<float>(static_cast<size_t>(x.rank()), 1.0f)};
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < -x.rank() || axes[i] >= x.rank())
      return fail(node, fmt::format("axis {} is out of range for rank {}", axes[i], x.rank()));
    const auto d = static_cast<int>(axes[i] < 0 ? axes[i] + x.rank() : axes[i]);
    float& scale = r.scales[static_cast<size_t>(d)];
    if (scales.empty()) {
      r.out[d] = sizes[i];
      if (sizes[i] < 1 || sizes[i] > int64_t{1} << 31 || x[d] < 1)
        return fail(node,
                    fmt::format("axis {} cannot be resized from {} to {}", d, x[d], sizes[i]));
      scale = static_cast<float>(sizes[i]) / static_cast<float>(x[d]);
    } else {
      scale = scales[i];
      // In float, as other runtimes and ONNX shape inference round it.
      const float size = std::floor(static_cast<float>(x[d]) * scale);
      if (!(scale > 0) || !(size >= 1) || size > 0x1p31f)
        return fail(node, fmt::format("axis {} of size {} cannot be scaled by {}", d, x[d], scale));
      r.out[d] = static_cast<int64_t>(size);
    }
  }
  return r;
}

float source_position(const ResizeMode& mode, int64_t o, int64_t in, int64_t out, float scale) {
  const auto x = static_cast<float>(o);
  if (mode.coordinates == "asymmetric") return x / scale;
  if (mode.coordinates == "align_corners")
    return out == 1 ? 0 : x * static_cast<float>(in - 1) / static_cast<float>(out - 1);
  if (mode.coordinates == "tf_half_pixel_for_nn") return (x + 0.5f) / scale;
  if (mode.coordinates == "pytorch_half_pixel" && out == 1) return 0;
  return (x + 0.5f) / scale - 0.5f;
}

namespace {

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

// Keys, "Cubic convolution interpolation", 1981.
float cubic(float distance, float a) {
  const float d = std::abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

}  // namespace

ResizeTaps resize_taps(const ResizeMode& mode, int64_t in, int64_t out, float scale) {
  ResizeTaps taps;
  taps.count = mode.mode == "nearest" ? 1 : mode.mode == "linear" ? 2 : 4;
  auto push = [&](int64_t index, float weight) {
    taps.index.push_back(std::clamp<int64_t>(index, 0, in - 1));
    taps.weight.push_back(weight);
  };
  for (int64_t o = 0; o < out; ++o) {
    float position = source_position(mode, o, in, out, scale);
    if (mode.mode == "nearest") {
      push(nearest(mode, position, scale), 1);
    } else if (mode.mode == "linear") {
      position = std::clamp(position, 0.0f, static_cast<float>(in - 1));
      const float low = std::floor(position);
      push(static_cast<int64_t>(low), 1 - (position - low));
      push(static_cast<int64_t>(low) + 1, position - low);
    } else {
      const float low = std::floor(position);
      const auto first = static_cast<int64_t>(low) - 1;
      float weights[4], sum = 0;
      for (int i = 0; i < 4; ++i) {
        const int64_t at = first + i;
        const bool outside = mode.exclude_outside && (at < 0 || at >= in);
        weights[i] = outside ? 0 : cubic(position - static_cast<float>(at), mode.cubic_a);
        sum += weights[i];
      }
      for (int i = 0; i < 4; ++i)
        push(first + i, mode.exclude_outside ? weights[i] / sum : weights[i]);
    }
  }
  return taps;
}

}  // namespace vultus
