#include <fmt/format.h>

#include <cmath>
#include <tuple>

#include "models/convert/architecture.hpp"

namespace vultus::convert {

namespace {

constexpr float kEpsilon = 1e-5f;
constexpr int64_t kInput = 256;     ///< pixels of a side
constexpr int64_t kMap = 64;        ///< cells of a side of every heat map
constexpr int64_t kFeatures = 256;  ///< channels of the hourglasses
constexpr int64_t kPoints = 98, kEdges = 9;
constexpr int kStacks = 4, kLevels = 4;
/// The landmark whose heat map says where the boundary coordinates are seen.
constexpr int64_t kBoundaryPoint = 97;
constexpr float kBoundaryThreshold = 0.05f;

/// -1..1 along rows (the first map), along columns (the second), and the distance from the centre,
/// 1 in the corners (the third, where `with_radius`).
std::vector<float> coordinates(int64_t size, bool with_radius) {
  std::vector<float> rows, columns, radii;
  for (int64_t i = 0; i < size; ++i)
    for (int64_t j = 0; j < size; ++j) {
      const double y = 2.0 * static_cast<double>(i) / static_cast<double>(size - 1) - 1;
      const double x = 2.0 * static_cast<double>(j) / static_cast<double>(size - 1) - 1;
      rows.push_back(static_cast<float>(y));
      columns.push_back(static_cast<float>(x));
      radii.push_back(static_cast<float>(std::sqrt((x * x + y * y) / 2)));
    }
  rows.insert(rows.end(), columns.begin(), columns.end());
  if (with_radius) rows.insert(rows.end(), radii.begin(), radii.end());
  return rows;
}

class Star {
 public:
  explicit Star(Layers& layers) : layers_(layers) {}

  void write(std::vector<std::string>& notes) {
    layers_.network().input("input", {"N", 3, kInput, kInput});
    write_constants();
    std::string x = stem(), heat, fusion;
    for (int s = 0; s < kStacks; ++s) {
      const std::string hourglass =
          this->hourglass(fmt::format("hgs.{}", s), with_coordinates(s, x, heat), kLevels);
      const Stack stack = heads(s, hourglass);
      heat = stack.heat;
      fusion = stack.fusion;
      if (s + 1 < kStacks) x = merge(s, x, stack);
    }
    decode(fusion);
    layers_.network().output("landmarks", {"N", kPoints, 2});
    layers_.network().output("heatmaps", {"N", kPoints, kMap, kMap});
    if (skipped_ > 0)
      notes.push_back(fmt::format(
          "skip_layer of {} blocks left out: they keep the number of channels and never run it",
          skipped_));
  }

 private:
  struct Stack {
    std::string features, heat, points, edges, fusion;
  };

  std::string conv(const std::string& name, const std::string& x, int64_t in, int64_t out,
                   int64_t kernel = 1, int64_t stride = 1) {
    return layers_.conv(name + ".conv", x,
                        {.in = in, .out = out, .kernel = kernel, .stride = stride, .bias = true});
  }
  std::string norm_relu(const std::string& name, const std::string& x, int64_t channels) {
    return layers_.node("Relu", name + ".relu", {layers_.batch_norm(name, x, channels, kEpsilon)});
  }
  std::string pool(const std::string& name, const std::string& x) {
    return layers_.node(
        "MaxPool", name, {x},
        {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}});
  }
  std::string concat(const std::string& name, const std::vector<std::string>& parts,
                     int64_t axis = 1) {
    return layers_.node("Concat", name, parts, {{"axis", axis}});
  }
  std::string add(const std::string& name, const std::string& a, const std::string& b) {
    return layers_.node("Add", name, {a, b});
  }

  void write_constants() {
    layers_.numbers("input.coordinates", {1, 3, kInput, kInput}, coordinates(kInput, true));
    layers_.numbers("map.coordinates", {1, 3, kMap, kMap}, coordinates(kMap, true));
    layers_.numbers("boundary.coordinates", {1, 2, kMap, kMap}, coordinates(kMap, false));
    layers_.numbers("boundary.threshold", {}, {kBoundaryThreshold});
    layers_.numbers("zero", {}, {0});
    layers_.numbers("unit.scale", {kPoints}, std::vector<float>(kPoints, 1));
    layers_.numbers("unit.bias", {kPoints}, std::vector<float>(kPoints, 0));
    layers_.numbers("double", {4}, {1, 1, 2, 2});
    for (const auto& [name, value] : {std::pair("at.0", int64_t{0}),
                                      {"at.1", 1},
                                      {"at.97", kBoundaryPoint},
                                      {"at.98", kPoints}})
      layers_.integers(name, {value});
    layers_.integers("input.tail", {3, kInput, kInput});
    layers_.integers("map.tail", {3, kMap, kMap});
    const std::string shape = layers_.node("Shape", "input.shape", {"input"});
    layers_.node("Slice", "batch", {shape, "at.0", "at.1"});
  }
  /// The constant maps `what`.coordinates for every sample of the batch.
  std::string coordinates_for_batch(const std::string& name, const std::string& what) {
    const std::string shape = concat(name + ".shape", {"batch", what + ".tail"}, 0);
    return layers_.node("Expand", name, {what + ".coordinates", shape});
  }

  /// BN and ReLU before each of three convolutions, and the input (through a 1x1 convolution where
  /// the number of channels changes) added.
  std::string residual(const std::string& name, const std::string& x, int64_t in, int64_t out) {
    const int64_t middle = out / 2;
    std::string y = norm_relu(name + ".bn1", x, in);
    y = conv(name + ".conv1", y, in, middle);
    y = norm_relu(name + ".bn2", y, middle);
    y = conv(name + ".conv2", y, middle, middle, 3);
    y = norm_relu(name + ".bn3", y, middle);
    y = conv(name + ".conv3", y, middle, out);
    if (in != out) return add(name, y, conv(name + ".skip_layer", x, in, out));
    if (layers_.weights().skip(name + ".skip_layer.conv.weight")) ++skipped_;
    layers_.weights().skip(name + ".skip_layer.conv.bias");
    return add(name, y, x);
  }

  /// 256x256 pictures to 64x64 maps.
  std::string stem() {
    std::string x = concat("pre.0.input", {"input", coordinates_for_batch("pre.0.xyr", "input")});
    x = norm_relu("pre.0.bn", conv("pre.0", x, 6, 64, 7, 2), 64);
    x = residual("pre.1", x, 64, 128);
    x = residual("pre.3", pool("pre.2", x), 128, 128);
    return residual("pre.4", x, 128, kFeatures);
  }

  /// Coordinate channels, and from the second stack on coordinates where the last heat map of the
  /// stack before is above a threshold; then a 1x1 convolution.
  std::string with_coordinates(int s, const std::string& x, const std::string& heat) {
    const std::string name = fmt::format("hgs.{}.coordconv", s);
    std::vector<std::string> parts{x, coordinates_for_batch(name + ".xyr", "map")};
    if (!heat.empty()) {
      const std::string last =
          layers_.node("Slice", name + ".boundary", {heat, "at.97", "at.98", "at.1"});
      const std::string seen =
          layers_.node("Greater", name + ".seen", {last, "boundary.threshold"});
      parts.push_back(layers_.node("Where", name + ".xyb", {seen, "boundary.coordinates", "zero"}));
    }
    return conv(name, concat(name + ".input", parts), kFeatures + (heat.empty() ? 3 : 5),
                kFeatures);
  }

  std::string hourglass(const std::string& name, const std::string& x, int level) {
    auto block = [&](const char* part, const std::string& from) {
      return residual(name + part, from, kFeatures, kFeatures);
    };
    const std::string up = block(".up1", x);
    std::string low = block(".low1", pool(name + ".pool", x));
    low = level > 1 ? hourglass(name + ".low2", low, level - 1) : block(".low2", low);
    low = block(".low3", low);
    const std::string enlarged =
        layers_.node("Resize", name + ".up2", {low, "", "double"},
                     {{"mode", std::string("nearest")},
                      {"coordinate_transformation_mode", std::string("asymmetric")},
                      {"nearest_mode", std::string("floor")}});
    return add(name, up, enlarged);
  }

  std::string sigmoid_head(const std::string& name, const std::string& x, int64_t channels) {
    return layers_.node("Sigmoid", name, {conv(name, x, kFeatures, channels)});
  }
  Stack heads(int s, const std::string& hourglass) {
    Stack stack;
    std::string x = residual(fmt::format("features.{}.0", s), hourglass, kFeatures, kFeatures);
    const std::string block = fmt::format("features.{}.1", s);
    stack.features = norm_relu(block + ".bn", conv(block, x, kFeatures, kFeatures), kFeatures);
    const std::string name = fmt::format("out_heatmaps.{}", s);
    const std::string normal =
        layers_.node("InstanceNormalization", name + ".normal",
                     {conv(name, stack.features, kFeatures, kPoints), "unit.scale", "unit.bias"},
                     {{"epsilon", kEpsilon}});
    stack.heat = layers_.node("Relu", name, {normal});
    stack.points = sigmoid_head(fmt::format("out_pointmaps.{}", s), stack.features, kPoints);
    stack.edges = sigmoid_head(fmt::format("out_edgemaps.{}", s), stack.features, kEdges);
    const std::string mask = layers_.node("Mul", fmt::format("mask.{}", s),
                                          {points_on_edges(s, stack.edges), stack.points});
    const bool last = s + 1 == kStacks;
    stack.fusion =
        layers_.node("Mul", last ? "heatmaps" : fmt::format("fusion.{}", s), {mask, stack.heat});
    return stack;
  }
  /// The edge that each point lies on: a 1x1 convolution whose weights all stacks share.
  std::string points_on_edges(int s, const std::string& edges) {
    const std::string name = "e2h_transform";
    if (s == 0) {
      layers_.parameter(name + ".weight", {kPoints, kEdges, 1, 1}, false);
      layers_.parameter(name + ".bias", {kPoints}, false);
    }
    return layers_.node("Conv", fmt::format("{}.{}", name, s),
                        {edges, name + ".weight", name + ".bias"},
                        {{"kernel_shape", std::vector<int64_t>{1, 1}}});
  }

  /// What the next stack starts from.
  std::string merge(int s, std::string x, const Stack& stack) {
    const std::tuple<const char*, std::string, int64_t> parts[] = {
        {"merge_features", stack.features, kFeatures},
        {"merge_heatmaps", stack.heat, kPoints},
        {"merge_pointmaps", stack.points, kPoints},
        {"merge_edgemaps", stack.edges, kEdges}};
    for (const auto& [part, from, channels] : parts) {
      const std::string name = fmt::format("{}.{}", part, s);
      x = add(name, x, conv(name, from, channels, kFeatures));
    }
    return x;
  }

  /// Centres of mass of the heat maps, x and y in -1..1.
  void decode(const std::string& maps) {
    const std::vector<float> both = coordinates(kMap, false);
    const auto middle = both.begin() + kMap * kMap;
    layers_.numbers("decode.y", {1, 1, kMap, kMap}, {both.begin(), middle});
    layers_.numbers("decode.x", {1, 1, kMap, kMap}, {middle, both.end()});
    layers_.integers("decode.axes", {2, 3});
    auto sum = [&](const std::string& name, const std::string& of) {
      return layers_.node("ReduceSum", name, {of, "decode.axes"}, {{"keepdims", int64_t{1}}});
    };
    auto moment = [&](const std::string& axis) {
      return sum(axis + ".sum", layers_.node("Mul", axis + ".weighted", {maps, axis}));
    };
    const std::string moments =
        concat("decode.moments", {moment("decode.x"), moment("decode.y")}, 2);
    layers_.numbers("decode.least", {}, {1e-6f});
    const std::string mass =
        layers_.node("Clip", "decode.mass", {sum("decode.sum", maps), "decode.least"});
    layers_.node("Div", "decode.centres", {moments, mass});
    layers_.integers("decode.last", {3});
    layers_.node("Squeeze", "landmarks", {"decode.centres", "decode.last"});
  }

  Layers& layers_;
  size_t skipped_ = 0;
};

}  // namespace

const Architecture kStar{
    "star98", "STAR (98 points)", "hgs.0.coordconv.conv.weight",
    [](Layers& layers, std::vector<std::string>& notes) { Star(layers).write(notes); }};

}  // namespace vultus::convert
