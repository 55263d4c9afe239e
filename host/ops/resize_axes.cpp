#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/ops/op.hpp"
#include "host/ops/resize.hpp"

namespace vultus {

namespace {

using Names = std::initializer_list<std::string_view>;

Result<void> expect_known(const Node& node, std::string_view key, const std::string& value,
                          Names known) {
  if (std::ranges::find(known, value) != known.end()) return {};
  return fail(node, fmt::format("{} '{}' is not supported", key, value));
}

bool is_old(const Node& node) {
  return node.op == "Upsample" || node.opset < 11;
}

struct Target {
  int64_t size;
  float scale;
};

Result<Target> scaled(const Node& node, int d, int64_t in, float scale) {
  // In float, as other runtimes and ONNX shape inference round it.
  const float size = std::floor(static_cast<float>(in) * scale);
  if (!(scale > 0) || !(size >= 1) || size > 0x1p31f)
    return fail(node, fmt::format("axis {} of size {} cannot be scaled by {}", d, in, scale));
  return Target{static_cast<int64_t>(size), scale};
}

Result<Target> sized(const Node& node, int d, int64_t in, int64_t size) {
  if (size < 1 || size > int64_t{1} << 31 || in < 1)
    return fail(node, fmt::format("axis {} cannot be resized from {} to {}", d, in, size));
  return Target{size, static_cast<float>(size) / static_cast<float>(in)};
}

/// One scale for all axes: the smallest or largest that a wanted size asks for.
float common_scale(const std::string& aspect, const std::vector<Target>& targets) {
  float scale = targets[0].scale;
  for (const Target& t : targets)
    scale = aspect == "not_larger" ? std::min(scale, t.scale) : std::max(scale, t.scale);
  return scale;
}

/// The axes of the node as 0..rank-1, in its order.
Result<std::vector<int>> axes_of(const Node& node, const Shape& x) {
  std::vector<int> axes;
  for (int64_t axis : node.integers("axes")) {
    if (axis < -x.rank() || axis >= x.rank())
      return fail(node, fmt::format("axis {} is out of range for rank {}", axis, x.rank()));
    axes.push_back(static_cast<int>(axis < 0 ? axis + x.rank() : axis));
  }
  for (int d = 0; axes.size() < static_cast<size_t>(x.rank()) && !node.has("axes"); ++d)
    axes.push_back(d);
  return axes;
}

}  // namespace

Result<ResizeMode> resize_mode(const Node& node) {
  const bool old = is_old(node);
  ResizeMode m;
  m.mode = node.text("mode", "nearest");
  VULTUS_CHECK(expect_known(node, "mode", m.mode, {"nearest", "linear", "cubic"}));
  m.coordinates = old ? "asymmetric" : node.text("coordinate_transformation_mode", "half_pixel");
  VULTUS_CHECK(
      expect_known(node, "coordinate_transformation_mode", m.coordinates,
                   {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
                    "asymmetric", "tf_half_pixel_for_nn", "tf_crop_and_resize"}));
  m.nearest = old ? "simple" : node.text("nearest_mode", "round_prefer_floor");
  VULTUS_CHECK(
      expect_known(node, "nearest_mode", m.nearest,
                   {"simple", "round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}));
  m.aspect = node.text("keep_aspect_ratio_policy", "stretch");
  VULTUS_CHECK(expect_known(node, "keep_aspect_ratio_policy", m.aspect,
                            {"stretch", "not_larger", "not_smaller"}));
  m.cubic_a = node.real("cubic_coeff_a", -0.75f);
  m.exclude_outside = node.integer("exclude_outside", 0) != 0;
  m.antialias = node.integer("antialias", 0) != 0;
  if (m.antialias && m.mode == "nearest")
    return fail(node, "antialias needs mode linear or cubic, not nearest");
  m.extrapolation = node.real("extrapolation_value", 0);
  return m;
}

Result<ResizeInputs> resize_inputs(const Node& node,
                                   const std::function<TensorView(size_t)>& input) {
  ResizeInputs inputs;
  auto read = [&](size_t i, auto& values) -> Result<void> {
    using T = typename std::remove_reference_t<decltype(values)>::value_type;
    const TensorView view = input(i);
    if (!view.bytes || view.shape.elements() == 0) return {};
    if (view.dtype != dtype_of<T>())
      return fail(node, fmt::format("input {} has type {}, expected {}", i, name_of(view.dtype),
                                    name_of(dtype_of<T>())));
    values.assign(view.as<const T>().begin(), view.as<const T>().end());
    return {};
  };
  // Upsample 9 and Resize 10 have X, scales; later X, roi, scales, sizes.
  VULTUS_CHECK(read(is_old(node) ? 1 : 2, inputs.scales));
  if (is_old(node)) return inputs;
  VULTUS_CHECK(read(1, inputs.crop));
  VULTUS_CHECK(read(3, inputs.sizes));
  return inputs;
}

Result<ResizeInputs> resize_inputs(const Graph& graph, const Node& node) {
  return resize_inputs(node, [&](size_t i) {
    const Tensor* constant = graph.constant(node.input(i));
    return constant ? constant->view() : TensorView{};
  });
}

Result<std::vector<ResizeAxis>> resize_axes(const Node& node, const Shape& x,
                                            const ResizeInputs& inputs) {
  VULTUS_TRY(ResizeMode mode, resize_mode(node));
  VULTUS_TRY(std::vector<int> axes, axes_of(node, x));
  const bool by_size = inputs.scales.empty();
  const size_t given = by_size ? inputs.sizes.size() : inputs.scales.size();
  if (given != axes.size())
    return fail(node,
                fmt::format("{} {} for {} axes", given, by_size ? "sizes" : "scales", axes.size()));
  const bool crops = mode.coordinates == "tf_crop_and_resize";
  if (crops && inputs.crop.size() != 2 * axes.size())
    return fail(node, fmt::format("a roi of {} numbers for {} axes, expected {}",
                                  inputs.crop.size(), axes.size(), 2 * axes.size()));
  std::vector<Target> targets;
  for (size_t i = 0; i < axes.size(); ++i) {
    VULTUS_TRY(Target target, by_size ? sized(node, axes[i], x[axes[i]], inputs.sizes[i])
                                      : scaled(node, axes[i], x[axes[i]], inputs.scales[i]));
    targets.push_back(target);
  }
  std::vector<ResizeAxis> resized(static_cast<size_t>(x.rank()));
  for (int d = 0; d < x.rank(); ++d)
    resized[static_cast<size_t>(d)] = {.in = x[d], .out = x[d]};
  for (size_t i = 0; i < axes.size(); ++i) {
    ResizeAxis& axis = resized[static_cast<size_t>(axes[i])];
    if (by_size && mode.aspect != "stretch") {
      const float scale = common_scale(mode.aspect, targets);
      const auto size = std::llround(static_cast<double>(scale) * static_cast<double>(axis.in));
      VULTUS_TRY(targets[i], sized(node, axes[i], axis.in, size));
      targets[i].scale = scale;
    }
    axis.out = targets[i].size;
    axis.scale = targets[i].scale;
    if (crops) {
      axis.crop_begin = inputs.crop[i];
      axis.crop_end = inputs.crop[i + axes.size()];
    }
  }
  return resized;
}

Shape resized_shape(const std::vector<ResizeAxis>& axes) {
  Shape shape;
  for (const ResizeAxis& axis : axes)
    shape.push_back(axis.out);
  return shape;
}

}  // namespace vultus
