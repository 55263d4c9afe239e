#include "host/graph/passes/pointwise_emit.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "host/graph/activation.hpp"
#include "host/graph/passes/rewrite.hpp"

namespace vultus {

namespace {

using Op = PointwiseOp;

const std::map<std::string_view, Op> kBinary{{"Add", Op::add},
                                             {"Sub", Op::sub},
                                             {"Mul", Op::mul},
                                             {"Div", Op::div},
                                             {"Pow", Op::pow},
                                             {"Max", Op::max},
                                             {"Min", Op::min},
                                             {"PRelu", Op::prelu},
                                             {"Equal", Op::equal},
                                             {"Greater", Op::greater},
                                             {"GreaterOrEqual", Op::greater_or_equal},
                                             {"Less", Op::less},
                                             {"LessOrEqual", Op::less_or_equal},
                                             {"And", Op::both},
                                             {"Or", Op::either},
                                             {"Xor", Op::exclusive}};
const std::map<std::string_view, Op> kUnary{{"Exp", Op::exp},
                                            {"Log", Op::log},
                                            {"Sqrt", Op::sqrt},
                                            {"Abs", Op::abs},
                                            {"Neg", Op::neg},
                                            {"Floor", Op::floor},
                                            {"Ceil", Op::ceil},
                                            {"Round", Op::round},
                                            {"Sign", Op::sign},
                                            {"Not", Op::negation},
                                            {"Reciprocal", Op::reciprocal}};

bool has_device_type(const Graph& graph, ValueId v) {
  const DType type = graph.value(v).dtype;
  return (type == DType::f32 || type == DType::boolean) && !graph.value(v).dynamic_rows &&
         graph.shape(v).elements() > 0;
}

/// Scale and shift of every channel of a BatchNormalization with constant parameters.
struct Affine {
  Tensor scale, shift;
};
std::optional<Affine> affine_of(const Graph& graph, const Node& node) {
  std::array<std::span<const float>, 4> p;
  for (size_t i = 0; i < 4; ++i) {
    const Tensor* t = graph.constant(node.input(i + 1));
    if (!t) return std::nullopt;
    p[i] = t->as<float>();
  }
  const Shape& x = graph.shape(node.inputs[0]);
  Shape shape{x[1]};
  for (int i = 2; i < x.rank(); ++i)
    shape.push_back(1);
  Affine out{Tensor(DType::f32, shape), Tensor(DType::f32, shape)};
  const double epsilon = static_cast<double>(node.real("epsilon", 1e-5f));
  for (size_t c = 0; c < p[0].size(); ++c) {
    const double scale =
        static_cast<double>(p[0][c]) / std::sqrt(static_cast<double>(p[3][c]) + epsilon);
    out.scale.as<float>()[c] = static_cast<float>(scale);
    out.shift.as<float>()[c] =
        static_cast<float>(static_cast<double>(p[1][c]) - static_cast<double>(p[2][c]) * scale);
  }
  return out;
}

/// Collects instructions; registers are known only when everything is, so they are named first.
class Emitter {
 public:
  Emitter(const Graph& graph, const std::vector<bool>& member, const Shape& shape)
      : graph_(graph), member_(member), shape_(shape) {}

  std::optional<PointwiseBody> emit(const std::vector<ValueId>& results) {
    for (ValueId v : results) {
      results_.push_back(value(v, graph_.shape(v)));
      body_.program.types.push_back(graph_.value(v).dtype);
    }
    if (failed_ || !fits()) return std::nullopt;
    return resolve();
  }

 private:
  enum class Kind : uint8_t { input, immediate, instruction };
  struct Name {
    Kind kind = Kind::input;
    size_t index = 0;
    bool operator==(const Name&) const = default;
  };
  struct Step {
    Op op;
    Name a, b, c;
  };

  bool fits() const {
    const auto broadcasts =
        std::ranges::count_if(body_.inputs, [&](const auto& in) { return !(in.shape == shape_); });
    return body_.inputs.size() <= PointwiseProgram::kMostInputs &&
           broadcasts <= static_cast<int64_t>(PointwiseProgram::kMostBroadcasts) &&
           body_.program.immediates.size() <= PointwiseProgram::kMostImmediates &&
           steps_.size() <= PointwiseProgram::kMostInstructions && !steps_.empty() &&
           !body_.inputs.empty() && results_.size() <= PointwiseProgram::kMostResults;
  }

  std::optional<PointwiseBody> resolve() {
    PointwiseProgram& p = body_.program;
    p.inputs = body_.inputs.size();
    auto number = [&](const Name& n) {
      size_t base = n.kind == Kind::input       ? 0
                    : n.kind == Kind::immediate ? p.inputs
                                                : p.inputs + p.immediates.size();
      return static_cast<uint8_t>(base + n.index);
    };
    for (const Step& s : steps_)
      p.code.push_back({s.op, number(s.a), number(s.b), number(s.c)});
    for (const Name& n : results_)
      p.results.push_back(number(n));
    return std::move(body_);
  }

  Name input(PointwiseBody::Input in) {
    for (size_t i = 0; i < body_.inputs.size(); ++i)
      if (!in.made && body_.inputs[i].value == in.value && body_.inputs[i].shape == in.shape)
        return {Kind::input, i};
    body_.inputs.push_back(std::move(in));
    return {Kind::input, body_.inputs.size() - 1};
  }
  Name immediate(float v) {
    auto& all = body_.program.immediates;
    for (size_t i = 0; i < all.size(); ++i)
      if (std::bit_cast<uint32_t>(all[i]) == std::bit_cast<uint32_t>(v))
        return {Kind::immediate, i};
    all.push_back(v);
    return {Kind::immediate, all.size() - 1};
  }
  Name step(Op op, Name a, Name b, Name c) {
    steps_.push_back({op, a, b, c});
    return {Kind::instruction, steps_.size() - 1};
  }
  Name step(Op op, Name a, Name b) { return step(op, a, b, a); }
  Name step(Op op, Name a) { return step(op, a, a, a); }

  /// The register of `v`, whose elements are seen as `view`.
  Name value(ValueId v, const Shape& view) {
    auto key = std::pair(v, std::vector<int64_t>(view.begin(), view.end()));
    if (auto known = known_.find(key); known != known_.end()) return known->second;
    Name made = compute(v, view);
    known_.emplace(std::move(key), made);
    return made;
  }

  Name compute(ValueId v, const Shape& view) {
    const Value& held = graph_.value(v);
    if (held.constant && held.dtype == DType::f32 && held.shape.elements() == 1)
      return immediate(held.constant->as<float>()[0]);
    const bool inside =
        !held.constant && held.producer >= 0 && member_[static_cast<size_t>(held.producer)];
    if (!inside) return input({v, view, nullptr});
    const Node& node = graph_.node(held.producer);
    if (node.op == "Reshape") return value(node.inputs[0], view);
    return activated(node, body_of(node, view));
  }

  /// An operand of a member that is seen as `view`.
  Name operand(const Node& node, size_t i, const Shape& view) {
    const ValueId v = node.input(i);
    const Shape& own = graph_.shape(v);
    if (view == graph_.shape(node.outputs[0]) || own.elements() == 1) return value(v, own);
    // Under another shape every operand must be the result's size, to be seen so itself.
    if (!(own == graph_.shape(node.outputs[0]))) failed_ = true;
    return value(v, view);
  }

  Name body_of(const Node& node, const Shape& view) {
    if (node.op == "BatchNormalization") return normalised(node, view);
    const Name a = operand(node, 0, view);
    if (auto binary = kBinary.find(node.op); binary != kBinary.end())
      return step(binary->second, a, operand(node, 1, view));
    if (node.op == "Where")
      return step(Op::where, a, operand(node, 1, view), operand(node, 2, view));
    if (node.op == "Cast") {
      const bool narrows = graph_.value(node.inputs[0]).dtype == DType::f32 &&
                           graph_.value(node.outputs[0]).dtype == DType::boolean;
      return narrows ? step(Op::truth, a) : a;
    }
    if (auto unary = kUnary.find(node.op); unary != kUnary.end()) return step(unary->second, a);
    return activation(*as_epilogue(graph_, node), a);
  }

  Name normalised(const Node& node, const Shape& view) {
    if (!(view == graph_.shape(node.outputs[0]))) failed_ = true;
    auto affine = affine_of(graph_, node);
    auto made = [&](Tensor t) {
      const Shape shape = t.shape();
      return input({kNoValue, shape, std::make_shared<const Tensor>(std::move(t))});
    };
    const Name x = operand(node, 0, view);
    const Name scaled = step(Op::mul, x, made(std::move(affine->scale)));
    return step(Op::add, scaled, made(std::move(affine->shift)));
  }

  Name activated(const Node& node, Name x) {
    return epilogue_is_set(node) ? activation(epilogue_of(node), x) : x;
  }

  Name activation(const Epilogue& e, Name x) {
    switch (e.kind) {
      case Activation::none:
        return x;
      case Activation::relu:
        return step(Op::relu, x);
      case Activation::leaky_relu:
        return step(Op::prelu, x, immediate(e.alpha));
      case Activation::sigmoid:
        return step(Op::sigmoid, x);
      case Activation::silu:
        return step(Op::silu, x);
      case Activation::clip:
        return step(Op::clip, x, immediate(e.alpha), immediate(e.beta));
      case Activation::hard_sigmoid:
        return step(Op::hard_sigmoid, x, immediate(e.alpha), immediate(e.beta));
      case Activation::hard_swish:
        return step(Op::hard_swish, x);
      case Activation::tanh:
        return step(Op::tanh, x);
    }
    return x;
  }

  const Graph& graph_;
  const std::vector<bool>& member_;
  const Shape& shape_;
  PointwiseBody body_;
  std::vector<Step> steps_;
  std::vector<Name> results_;
  std::map<std::pair<ValueId, std::vector<int64_t>>, Name> known_;
  bool failed_ = false;
};

bool is_normalisation(const Graph& graph, const Node& node) {
  // Images are normalised by layers before or after, or by kernels that know their layouts.
  return node.op == "BatchNormalization" && graph.shape(node.inputs[0]).rank() != 4 &&
         affine_of(graph, node).has_value();
}

}  // namespace

bool is_pointwise(const Graph& graph, const Node& node) {
  if (node.outputs.size() != 1 || node.inputs.empty() || !has_device_type(graph, node.outputs[0]) ||
      graph.shape(node.outputs[0]).rank() > PointwiseProgram::kMostAxes)
    return false;
  const bool takes_all = node.op != "Clip" && node.op != "BatchNormalization";
  for (size_t i = 0; i < (takes_all ? node.inputs.size() : 1); ++i)
    if (node.inputs[i] == kNoValue || !has_device_type(graph, node.inputs[i])) return false;
  if (kBinary.contains(node.op)) return node.inputs.size() == 2;
  return kUnary.contains(node.op) || node.op == "Where" || node.op == "Cast" ||
         as_epilogue(graph, node) || is_normalisation(graph, node);
}

bool is_view(const Graph& graph, const Node& node) {
  return node.op == "Reshape" && has_device_type(graph, node.inputs[0]) &&
         has_device_type(graph, node.outputs[0]) &&
         graph.shape(node.outputs[0]).rank() <= PointwiseProgram::kMostAxes;
}

std::optional<PointwiseBody> emit_pointwise(const Graph& graph, const std::vector<bool>& member,
                                            const std::vector<ValueId>& results,
                                            const Shape& shape) {
  return Emitter(graph, member, shape).emit(results);
}

}  // namespace vultus
