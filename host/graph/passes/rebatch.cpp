#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>

#include "host/graph/passes/passes.hpp"
#include "host/ops/op.hpp"

namespace vultus {

namespace {

using Names = std::set<std::string_view>;

/// Each element of the result comes from the same place of every operand.
const Names kElementwise = {"Abs",
                            "Add",
                            "And",
                            "Cast",
                            "Ceil",
                            "Clip",
                            "Cos",
                            "Div",
                            "Dropout",
                            "Elu",
                            "Equal",
                            "Erf",
                            "Exp",
                            "Floor",
                            "Gelu",
                            "Greater",
                            "GreaterOrEqual",
                            "HardSigmoid",
                            "HardSwish",
                            "Identity",
                            "LeakyRelu",
                            "Less",
                            "LessOrEqual",
                            "Log",
                            "Max",
                            "Mean",
                            "Min",
                            "Mish",
                            "Mod",
                            "Mul",
                            "Neg",
                            "Not",
                            "Or",
                            "Pow",
                            "PRelu",
                            "Reciprocal",
                            "Relu",
                            "Round",
                            "Selu",
                            "Sigmoid",
                            "Sign",
                            "Silu",
                            "Sin",
                            "Softplus",
                            "Softsign",
                            "Sqrt",
                            "Sub",
                            "Sum",
                            "Tan",
                            "Tanh",
                            "Where",
                            "Xor"};
/// Works within each sample, whatever its attributes say.
const Names kWithinSamples = {"AveragePool",   "BatchNormalization",    "Conv",
                              "ConvTranspose", "DepthToSpace",          "GlobalAveragePool",
                              "GlobalMaxPool", "InstanceNormalization", "LRN",
                              "MaxPool",       "SpaceToDepth"};
/// Works along the attribute "axis"; what that is without one.
const std::map<std::string_view, int64_t> kAlongAxis = {
    {"ArgMax", 0},      {"ArgMin", 0},   {"Concat", 0}, {"Flatten", 1}, {"LayerNormalization", -1},
    {"LogSoftmax", -1}, {"Softmax", -1}, {"Split", 0},  {"TopK", -1}};

/// Changes a network for samples one at a time into one for `batch` at a time.
class Rebatch {
 public:
  Rebatch(Graph& graph, int64_t batch)
      : graph_(graph), batch_(batch), depends_(graph.values.size(), false) {}

  Result<void> run() {
    std::vector<Shape> before;
    for (const Value& value : graph_.values)
      before.push_back(value.shape);
    for (ValueId v : graph_.inputs) {
      Shape& shape = graph_.value(v).shape;
      if (shape.rank() == 0 || shape[0] != 1)
        return Error{Errc::usage, fmt::format("input '{}' of shape {} has no batch of 1 to change",
                                              graph_.value(v).name, shape.str())};
      shape[0] = batch_;
      depends_[static_cast<size_t>(v)] = true;
    }
    for (Node& node : graph_.nodes)
      VULTUS_CHECK(visit(node));
    if (auto inferred = infer_shapes(graph_); !inferred)
      return Error{Errc::usage,
                   fmt::format("{} (with a batch of {})", inferred.error().what, batch_)};
    for (const Node& node : graph_.nodes)
      for (ValueId v : node.outputs) {
        if (v == kNoValue || !depends_[static_cast<size_t>(v)]) continue;
        Shape expected = before[static_cast<size_t>(v)];
        if (expected.rank() == 0 || expected[0] != 1)
          return refuse(node, "its result has no batch");
        expected[0] = batch_;
        if (!(graph_.shape(v) == expected)) return refuse(node, "its result does not grow with it");
      }
    return {};
  }

 private:
  Error refuse(const Node& node, std::string_view why) const {
    return Error{
        Errc::usage,
        fmt::format("{}: {}, so the network's batch of 1 cannot become {}; export it with a "
                    "batch of its own",
                    describe(node), why, batch_)};
  }
  bool depends(ValueId v) const { return v != kNoValue && depends_[static_cast<size_t>(v)]; }
  bool depends(const Node& node, size_t i) const { return depends(node.input(i)); }

  /// A constant of its own for this reader, made from the present one.
  template <class Change>
  Result<void> replace(Node& node, size_t i, Change change) {
    const Tensor* constant = graph_.constant(node.input(i));
    if (!constant) return refuse(node, "a size is known only after running");
    Tensor changed = change(*constant);
    std::string name = fmt::format("{}.batch", graph_.value(node.inputs[i]).name);
    node.inputs[i] = graph_.add_constant(std::move(name), std::move(changed));
    depends_.push_back(false);
    return {};
  }
  /// The first of the sizes in input i: 1 becomes the batch.
  Result<void> grow_first(Node& node, size_t i) {
    return replace(node, i, [&](const Tensor& sizes) {
      Tensor grown = sizes.clone();
      if (grown.dtype() == DType::i64 && grown.shape().elements() > 0 &&
          grown.as<int64_t>()[0] == 1)
        grown.as<int64_t>()[0] = batch_;
      return grown;
    });
  }
  /// Input i of a first size of 1 once for every sample.
  Result<void> repeat(Node& node, size_t i) {
    return replace(node, i, [&](const Tensor& one) {
      Shape shape = one.shape();
      shape[0] = batch_;
      Tensor all(one.dtype(), shape);
      for (int64_t n = 0; n < batch_; ++n)
        std::memcpy(all.bytes() + static_cast<size_t>(n) * one.size_bytes(), one.bytes(),
                    one.size_bytes());
      return all;
    });
  }

  /// Whether a list of axes, attribute or constant input, leaves axis 0 alone.
  bool spares_first(const Node& node, const char* attribute, size_t input, int rank) const {
    std::vector<int64_t> axes = node.integers(attribute);
    if (const Tensor* constant = graph_.constant(node.input(input));
        axes.empty() && constant && constant->dtype() == DType::i64)
      axes.assign(constant->as<int64_t>().begin(), constant->as<int64_t>().end());
    return !axes.empty() &&
           std::ranges::none_of(axes, [&](int64_t a) { return a == 0 || a == -rank; });
  }

  Result<void> visit(Node& node) {
    bool any = false;
    for (ValueId v : node.inputs)
      any = any || depends(v);
    if (!any) return {};
    VULTUS_CHECK(check(node));
    for (ValueId v : node.outputs)
      if (v != kNoValue) depends_[static_cast<size_t>(v)] = true;
    return {};
  }

  Result<void> check_elementwise(const Node& node) const {
    const int rank = graph_.shape(node.outputs[0]).rank();
    for (ValueId v : node.inputs) {
      if (v == kNoValue) continue;
      const Shape& shape = graph_.shape(v);
      if (depends(v) ? shape.rank() != rank : shape.rank() == rank && shape[0] != 1)
        return refuse(node, "it lines up the batch with another axis");
    }
    return {};
  }

  Result<void> check_along_axis(Node& node, int64_t fallback) {
    const int rank = graph_.shape(node.inputs[0]).rank();
    const int64_t axis = node.integer("axis", fallback);
    if (axis == 0 || axis == -rank) return refuse(node, "it works along the batch");
    if (node.op != "Concat") return {};
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!depends(node, i)) VULTUS_CHECK(repeat(node, i));
    return {};
  }

  /// Every operand that depends on the samples has their axis first under one letter, which is also
  /// the result's first and nowhere else.
  Result<void> check_einsum(const Node& node) const {
    std::string equation = node.text("equation", "");
    std::erase(equation, ' ');
    const size_t arrow = equation.find("->");
    if (arrow == std::string::npos || equation.find('.') != std::string::npos)
      return refuse(node, "its equation does not name the batch");
    const std::string result = equation.substr(arrow + 2);
    bool fine = !result.empty();
    size_t begin = 0;
    for (size_t i = 0; i < node.inputs.size() && fine; ++i) {
      const size_t end = std::min(equation.find(',', begin), arrow);
      const std::string axes = equation.substr(begin, end - begin);
      fine = depends(node, i) ? axes.find_last_of(result[0]) == 0
                              : axes.find(result[0]) == std::string::npos;
      begin = end + 1;
    }
    if (fine) return {};
    return refuse(node, "it mixes the batch with another axis");
  }

  Result<void> check(Node& node);

  Graph& graph_;
  int64_t batch_;
  std::vector<bool> depends_;  ///< per value: one entry along axis 0 for every sample
};

Result<void> Rebatch::check(Node& node) {
  const std::string_view op = node.op;
  const int rank = depends(node, 0) ? graph_.shape(node.inputs[0]).rank() : 0;
  if (kElementwise.contains(op)) return check_elementwise(node);
  if (auto along = kAlongAxis.find(op); along != kAlongAxis.end() && (rank > 0 || op == "Concat"))
    return check_along_axis(node, along->second);
  if (op == "Einsum") return check_einsum(node);
  // From here on only the first input may depend on the samples, save in matrix products.
  for (size_t i = 1; i < node.inputs.size(); ++i)
    if (depends(node, i) && op != "MatMul") return refuse(node, "an operand differs by sample");
  if (op == "MaxPool" && node.outputs.size() > 1) return refuse(node, "its indices count samples");
  if (kWithinSamples.contains(op) && rank > 0) return {};
  if (op.starts_with("Reduce") || op == "Squeeze" || op == "Unsqueeze") {
    const int counted = op == "Unsqueeze" ? graph_.shape(node.outputs[0]).rank() : rank;
    if (spares_first(node, "axes", 1, counted)) return {};
    return refuse(node, "it works along the batch");
  }
  if (op == "Slice") {
    // Without axes they count from the first.
    if (spares_first(node, "axes", 3, rank)) return {};
    return refuse(node, "it cuts the batch");
  }
  if (op == "Transpose") {
    std::vector<int64_t> perm = node.integers("perm");
    if (!perm.empty() && perm[0] == 0) return {};
    return refuse(node, "it moves the batch");
  }
  if (op == "Reshape" || op == "Expand") return grow_first(node, 1);
  if (op == "Pad") {
    std::vector<int64_t> pads = node.integers("pads");
    if (const Tensor* constant = graph_.constant(node.input(1)); pads.empty() && constant)
      pads.assign(constant->as<int64_t>().begin(), constant->as<int64_t>().end());
    const size_t r = static_cast<size_t>(rank);
    if (pads.size() == 2 * r && pads[0] == 0 && pads[r] == 0 && node.input(3) == kNoValue)
      return {};
    return refuse(node, "it pads the batch");
  }
  if (op == "Resize") {
    if (node.input(3) != kNoValue) return grow_first(node, 3);
    const Tensor* scales = graph_.constant(node.input(2));
    if (scales && scales->as<float>()[0] == 1.0f) return {};
    return refuse(node, "it resizes the batch");
  }
  if (op == "Gather") {
    const int64_t axis = node.integer("axis", 0);
    if (axis != 0 && axis != -rank) return {};
    return refuse(node, "it picks from the batch");
  }
  if (op == "Gemm") {
    const Tensor* bias = graph_.constant(node.input(2));
    if (node.integer("transA", 0) == 0 &&
        (!bias || bias->shape().rank() < 2 || bias->shape()[0] == 1))
      return {};
    return refuse(node, "it works along the batch");
  }
  if (op == "MatMul") {
    const Shape &a = graph_.shape(node.inputs[0]), &b = graph_.shape(node.inputs[1]);
    const bool fine = depends(node, 1) ? depends(node, 0) && a.rank() == b.rank() && a.rank() > 2
                                       : b.rank() == 2 || (b.rank() == a.rank() && b[0] == 1);
    if (fine) return {};
    return refuse(node, "it works along the batch");
  }
  return refuse(node, "it is not known to work sample by sample");
}

}  // namespace

Result<void> rebatch(Graph& graph, int64_t batch) {
  if (batch == 1) return {};
  VULTUS_CHECK(Rebatch(graph, batch).run());
  graph.compact();
  return {};
}

}  // namespace vultus
