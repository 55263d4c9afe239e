#include <fmt/format.h>

#include <array>

#include "models/convert/architecture.hpp"

namespace vultus::convert {

namespace {

constexpr float kEpsilon = 1e-5f;
constexpr int64_t kFeatures = 64;  ///< channels of every pyramid level
constexpr size_t kLevels = 3;

class RetinaFace {
 public:
  explicit RetinaFace(Layers& layers) : layers_(layers) {}

  void write() {
    layers_.network().input("input", {"N", 3, "H", "W"});
    std::array<std::string, kLevels> maps = pyramid(backbone());
    for (size_t i = 0; i < kLevels; ++i)
      maps[i] = context(fmt::format("ssh{}", i + 1), maps[i]);
    heads("loc", "BboxHead", maps, 4);
    heads("scores", "ClassHead", maps, 2);
    layers_.node("Softmax", "conf", {"scores"}, {{"axis", int64_t{-1}}});
    heads("landms", "LandmarkHead", maps, 10);
    for (auto [name, values] : {std::pair("loc", 4), std::pair("conf", 2), std::pair("landms", 10)})
      layers_.network().output(name, {"N", "P", values});
  }

 private:
  std::string leaky(const std::string& name, const std::string& x) {
    return layers_.node("LeakyRelu", name, {x}, {{"alpha", 0.1f}});
  }
  /// Convolution `name`.0 and batch norm `name`.1.
  std::string conv_norm(const std::string& name, const std::string& x, const ConvShape& shape) {
    const std::string y = layers_.conv(name + ".0", x, shape);
    return layers_.batch_norm(name + ".1", y, shape.out, kEpsilon);
  }
  std::string conv_norm_leaky(const std::string& name, const std::string& x,
                              const ConvShape& shape) {
    return leaky(name + ".2", conv_norm(name, x, shape));
  }
  /// Depthwise 3x3, then 1x1.
  std::string separable(const std::string& name, std::string x, int64_t in, int64_t out,
                        int64_t stride) {
    x = conv_norm_leaky(name, x,
                        {.in = in, .out = in, .kernel = 3, .stride = stride, .groups = in});
    x = layers_.conv(name + ".3", x, {.in = in, .out = out});
    return leaky(name + ".5", layers_.batch_norm(name + ".4", x, out, kEpsilon));
  }

  struct Separable {
    int64_t out, stride;
  };
  /// MobileNetV1 of quarter width: maps of stride 8, 16 and 32 with 64, 128 and 256 channels.
  std::array<std::string, kLevels> backbone() {
    const std::array<std::vector<Separable>, kLevels> stages{
        {{{16, 1}, {32, 2}, {32, 1}, {64, 2}, {64, 1}},
         {{128, 2}, {128, 1}, {128, 1}, {128, 1}, {128, 1}, {128, 1}},
         {{256, 2}, {256, 1}}}};
    std::string x =
        conv_norm_leaky("body.stage1.0", "input", {.in = 3, .out = 8, .kernel = 3, .stride = 2});
    int64_t channels = 8;
    std::array<std::string, kLevels> maps;
    for (size_t stage = 0; stage < kLevels; ++stage) {
      size_t index = stage == 0 ? 1 : 0;  // the first layer is no pair
      for (const Separable& layer : stages[stage]) {
        x = separable(fmt::format("body.stage{}.{}", stage + 1, index++), x, channels, layer.out,
                      layer.stride);
        channels = layer.out;
      }
      maps[stage] = x;
    }
    return maps;
  }

  /// What the coarser level knows is added to the finer one; the coarsest stays.
  std::array<std::string, kLevels> pyramid(const std::array<std::string, kLevels>& maps) {
    std::array<std::string, kLevels> out;
    for (size_t i = 0; i < kLevels; ++i)
      out[i] = conv_norm_leaky(fmt::format("fpn.output{}", i + 1), maps[i],
                               {.in = kFeatures << i, .out = kFeatures});
    for (size_t i = kLevels - 1; i-- > 0;) {
      const std::string merge = fmt::format("fpn.merge{}", i + 1);
      const std::string coarse = layers_.resize_like(merge + ".resized", out[i + 1], out[i]);
      const std::string sum = layers_.node("Add", merge + ".sum", {out[i], coarse});
      out[i] = conv_norm_leaky(merge, sum, {.in = kFeatures, .out = kFeatures, .kernel = 3});
    }
    return out;
  }

  /// Fields of view of 3x3, 5x5 and 7x7 side by side.
  std::string context(const std::string& name, const std::string& x) {
    constexpr int64_t kHalf = kFeatures / 2, kQuarter = kFeatures / 4;
    const ConvShape further{.in = kQuarter, .out = kQuarter, .kernel = 3};
    const std::string three =
        conv_norm(name + ".conv3X3", x, {.in = kFeatures, .out = kHalf, .kernel = 3});
    const std::string shared =
        conv_norm_leaky(name + ".conv5X5_1", x, {.in = kFeatures, .out = kQuarter, .kernel = 3});
    const std::string five = conv_norm(name + ".conv5X5_2", shared, further);
    const std::string seven = conv_norm(
        name + ".conv7x7_3", conv_norm_leaky(name + ".conv7X7_2", shared, further), further);
    const std::string all =
        layers_.node("Concat", name + ".all", {three, five, seven}, {{"axis", int64_t{1}}});
    return layers_.node("Relu", name, {all});
  }

  /// Rows of `values` numbers, one for every prior: level, row, column, size.
  void heads(const std::string& output, const std::string& head,
             const std::array<std::string, kLevels>& maps, int64_t values) {
    constexpr int64_t kSizes = 2;  // priors of each cell
    std::vector<std::string> parts;
    const std::string rows = layers_.integers(head + ".rows", {0, -1, values});
    for (size_t i = 0; i < kLevels; ++i) {
      const std::string name = fmt::format("{}.{}", head, i);
      std::string x = layers_.conv(name + ".conv1x1", maps[i],
                                   {.in = kFeatures, .out = kSizes * values, .bias = true});
      x = layers_.node("Transpose", name + ".last", {x},
                       {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
      parts.push_back(layers_.node("Reshape", name, {x, rows}));
    }
    layers_.node("Concat", output, parts, {{"axis", int64_t{1}}});
  }

  Layers& layers_;
};

}  // namespace

const Architecture kRetinaFace{
    "retinaface", "RetinaFace (MobileNet-0.25)", "BboxHead.0.conv1x1.weight",
    [](Layers& layers, std::vector<std::string>&) { RetinaFace(layers).write(); }};

}  // namespace vultus::convert
