#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "models/convert/architecture.hpp"

namespace vultus::convert {

namespace {

constexpr float kBackboneEpsilon = 1e-3f;  ///< of TensorFlow's EfficientNet
constexpr float kGraphEpsilon = 1e-5f;
constexpr int64_t kInput = 224;  ///< pixels of a side
constexpr int64_t kFeatures = 1280;
constexpr int64_t kUnits = 8;       ///< action units, nodes of the graph
constexpr int64_t kNeighbours = 4;  ///< of each node, itself included

/// EfficientNet-B0: blocks of one kind after each other, the first with the stride.
struct Stage {
  int64_t repeats, kernel, stride, expansion, out;
};
constexpr std::array<Stage, 7> kStages{{{1, 3, 1, 1, 16},
                                        {2, 3, 2, 6, 24},
                                        {2, 5, 2, 6, 40},
                                        {3, 3, 2, 6, 80},
                                        {3, 5, 1, 6, 112},
                                        {4, 5, 2, 6, 192},
                                        {1, 3, 1, 6, 320}}};

/// A map on its way through the backbone.
struct Map {
  std::string name;
  int64_t channels, size;
};

class Multitask {
 public:
  explicit Multitask(Layers& layers) : layers_(layers) {}

  void write() {
    layers_.network().input("input", {"N", 3, kInput, kInput});
    const std::string features = backbone();
    task("emotion", "fc_emotion", "emotion_classifier", features, 8);
    task("gaze", "fc_gaze", "gaze_regressor", features, 2);
    action_units(hidden("fc_au", features));
    for (auto [name, values] : {std::pair("emotion", 8), std::pair("gaze", 2), std::pair("au", 8)})
      layers_.network().output(name, {"N", values});
  }

 private:
  std::string node(const std::string& op, const std::string& name,
                   const std::vector<std::string>& inputs, const OnnxAttributes& attributes = {}) {
    return layers_.node(op, name, inputs, attributes);
  }
  std::string silu(const std::string& name, const std::string& x) {
    return node("Mul", name, {x, node("Sigmoid", name + ".gate", {x})});
  }

  /// A convolution without bias as TensorFlow pads it ("SAME": the odd pixel at the end), and batch
  /// norm.
  Map conv_norm(const std::string& conv, const std::string& norm, const Map& x, int64_t out,
                int64_t kernel = 1, int64_t stride = 1, int64_t groups = 1) {
    const int64_t size = (x.size + stride - 1) / stride;
    const int64_t padding = std::max<int64_t>((size - 1) * stride + kernel - x.size, 0);
    const int64_t before = padding / 2, after = padding - before;
    const std::string y = layers_.conv(conv, x.name,
                                       {.in = x.channels,
                                        .out = out,
                                        .kernel = kernel,
                                        .stride = stride,
                                        .groups = groups,
                                        .pads = {before, before, after, after}});
    return {layers_.batch_norm(norm, y, out, kBackboneEpsilon), out, size};
  }
  Map with_silu(Map x) {
    x.name = silu(x.name + ".silu", x.name);
    return x;
  }

  /// Squeeze and excitation to a quarter of the block's input channels.
  Map excite(const std::string& name, const Map& x, int64_t reduced) {
    const std::string mean = node("GlobalAveragePool", name + ".mean", {x.name});
    const std::string squeezed =
        layers_.conv(name + ".conv_reduce", mean, {.in = x.channels, .out = reduced, .bias = true});
    const std::string scale = layers_.conv(name + ".conv_expand", silu(name + ".silu", squeezed),
                                           {.in = reduced, .out = x.channels, .bias = true});
    const std::string gate = node("Sigmoid", name + ".gate", {scale});
    return {node("Mul", name, {x.name, gate}), x.channels, x.size};
  }

  /// Of the first stage: depthwise, then 1x1 without activation.
  Map separable(const std::string& name, const Map& x, const Stage& stage) {
    Map y = with_silu(conv_norm(name + ".conv_dw", name + ".bn1", x, x.channels, stage.kernel,
                                stage.stride, x.channels));
    y = excite(name + ".se", y, x.channels / 4);
    return conv_norm(name + ".conv_pw", name + ".bn2", y, stage.out);
  }
  /// Of the others: 1x1 to more channels, depthwise, 1x1 without activation.
  Map inverted(const std::string& name, const Map& x, const Stage& stage, int64_t stride) {
    const int64_t wide = x.channels * stage.expansion;
    Map y = with_silu(conv_norm(name + ".conv_pw", name + ".bn1", x, wide));
    y = with_silu(conv_norm(name + ".conv_dw", name + ".bn2", y, wide, stage.kernel, stride, wide));
    y = excite(name + ".se", y, x.channels / 4);
    y = conv_norm(name + ".conv_pwl", name + ".bn3", y, stage.out);
    if (stride == 1 && x.channels == stage.out) y.name = node("Add", name, {x.name, y.name});
    return y;
  }

  /// [N,1280].
  std::string backbone() {
    const std::string base = "base_model";
    Map x =
        with_silu(conv_norm(base + ".conv_stem", base + ".bn1", {"input", 3, kInput}, 32, 3, 2));
    for (size_t s = 0; s < kStages.size(); ++s)
      for (int64_t b = 0; b < kStages[s].repeats; ++b) {
        const std::string name = fmt::format("{}.blocks.{}.{}", base, s, b);
        x = kStages[s].expansion == 1
                ? separable(name, x, kStages[s])
                : inverted(name, x, kStages[s], b == 0 ? kStages[s].stride : 1);
      }
    x = with_silu(conv_norm(base + ".conv_head", base + ".bn2", x, kFeatures));
    const std::string mean = node("GlobalAveragePool", base + ".mean", {x.name});
    return node("Flatten", base, {mean});
  }

  std::string hidden(const std::string& name, const std::string& features) {
    return node("Relu", name + ".relu", {layers_.linear(name, features, kFeatures, kFeatures)});
  }
  void task(const std::string& output, const std::string& first, const std::string& second,
            const std::string& features, int64_t values) {
    const std::string y = layers_.linear(second, hidden(first, features), kFeatures, values);
    node("Identity", output, {y});
  }

  /// One graph layer over the units, whose edges go to the most alike, and the cosine with what was
  /// learnt for each unit: [N,8] in 0..1.
  void action_units(const std::string& features) {
    const std::string head = "au_regressor";
    layers_.integers("axis.last", {-1});
    layers_.integers("axis.unit", {1});
    std::vector<std::string> parts;
    for (int64_t i = 0; i < kUnits; ++i) {
      const std::string name = fmt::format("{}.class_linears.{}", head, i);
      parts.push_back(node("Unsqueeze", name + ".row",
                           {layers_.linear(name, features, kFeatures, kFeatures), "axis.unit"}));
    }
    const std::string units = node("Concat", head + ".units", parts, {{"axis", int64_t{1}}});
    const std::string aggregate =
        node("MatMul", head + ".aggregate",
             {adjacency(head + ".gnn", units), nodes(head + ".gnn.V", units)});
    std::string y = node("Add", head + ".sum", {aggregate, nodes(head + ".gnn.U", units)});
    y = layers_.batch_norm(head + ".gnn.bnv", y, kUnits, kGraphEpsilon);
    y = node("Relu", head + ".graph", {node("Add", head + ".residual", {units, y})});
    const std::string learnt =
        node("Relu", head + ".sc.relu", {layers_.parameter(head + ".sc", {kUnits, kFeatures})});
    const std::string product =
        node("Mul", head + ".product", {unit_length(y), unit_length(learnt)});
    node("ReduceSum", "au", {product, "axis.last"}, {{"keepdims", int64_t{0}}});
  }
  /// Edges to the four nodes with the largest inner products (more where they tie), normalised by
  /// the degrees of both ends: [N,8,8].
  std::string adjacency(const std::string& name, const std::string& units) {
    const std::string transposed =
        node("Transpose", name + ".transposed", {units}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
    const std::string alike = node("MatMul", name + ".alike", {units, transposed});
    const std::string top = layers_.network().node(
        "TopK", name + ".top", {alike, layers_.integers(name + ".k", {kNeighbours})},
        {{"axis", int64_t{-1}}}, 2);
    const std::string least = node("Slice", name + ".least",
                                   {top, layers_.integers(name + ".from", {kNeighbours - 1}),
                                    layers_.integers(name + ".to", {kNeighbours}), "axis.last"});
    const std::string edges =
        node("Cast", name + ".edges", {node("GreaterOrEqual", name + ".near", {alike, least})},
             {{"to", int64_t{1}}});
    const std::string degree =
        node("ReduceSum", name + ".degree", {edges, "axis.last"}, {{"keepdims", int64_t{0}}});
    const std::string weight =
        node("Pow", name + ".weight", {degree, layers_.numbers(name + ".power", {}, {-0.5f})});
    const std::string down =
        node("Reshape", name + ".down", {weight, layers_.integers(name + ".column", {0, -1, 1})});
    const std::string across =
        node("Reshape", name + ".across", {weight, layers_.integers(name + ".row", {0, 1, -1})});
    const std::string rows = node("Mul", name + ".rows", {edges, down});
    return node("Mul", name, {rows, across});
  }
  /// A linear of every node: [N,8,1280].
  std::string nodes(const std::string& name, const std::string& x) {
    const std::string weight = layers_.parameter(name + ".weight", {kFeatures, kFeatures});
    const std::string turned =
        node("Transpose", name + ".turned", {weight}, {{"perm", std::vector<int64_t>{1, 0}}});
    const std::string bias = layers_.parameter(name + ".bias", {kFeatures});
    return node("Add", name, {node("MatMul", name + ".product", {x, turned}), bias});
  }
  /// Rows divided by their length, or by 1e-12 where that is more.
  std::string unit_length(const std::string& x) {
    const std::string length = node("ReduceL2", x + ".length", {x},
                                    {{"axes", std::vector<int64_t>{-1}}, {"keepdims", int64_t{1}}});
    const std::string least = layers_.numbers(x + ".least", {}, {1e-12f});
    return node("Div", x + ".unit", {x, node("Clip", x + ".divisor", {length, least})});
  }

  Layers& layers_;
};

}  // namespace

const Architecture kMultitask{
    "mtl", "MTL (EfficientNet-B0: emotion, gaze, action units)", "base_model.conv_stem.weight",
    [](Layers& layers, std::vector<std::string>&) { Multitask(layers).write(); }};

}  // namespace vultus::convert
