#include "tests/support/pointwise.hpp"

#include <random>

#include "host/ops/op.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {

namespace {

class Maker {
 public:
  explicit Maker(uint32_t seed) : engine_(seed), seed_(seed) {}

  Graph make(int most_nodes) {
    const int rank = of(1, 4);
    for (int i = 0; i < rank; ++i)
      full_.push_back(of(1, i + 1 == rank ? 40 : 6));
    floats_.push_back(input(full_));
    const int inputs = of(0, 2);
    for (int i = 0; i < inputs; ++i)
      floats_.push_back(input(smaller()));
    const int nodes = of(2, most_nodes);
    for (int i = 0; i < nodes; ++i)
      add_any();
    // The last ones, so that little is dead.
    const int outputs = of(1, 3);
    for (size_t i = floats_.size();
         i-- > 1 && graph_.outputs.size() < static_cast<size_t>(outputs);)
      if (graph_.value(floats_[i]).producer >= 0) graph_.outputs.push_back(floats_[i]);
    if (graph_.outputs.empty()) graph_.outputs.push_back(booleans_.back());
    graph_.compact();
    return std::move(graph_);
  }

 private:
  int of(int low, int high) { return std::uniform_int_distribution(low, high)(engine_); }
  template <class T>
  const T& among(const std::vector<T>& list) {
    return list[static_cast<size_t>(of(0, static_cast<int>(list.size()) - 1))];
  }

  Shape smaller() {
    Shape shape;
    const int skipped = of(0, full_.rank());
    for (int i = skipped; i < full_.rank(); ++i)
      shape.push_back(of(0, 2) == 0 ? 1 : full_[i]);
    return shape;
  }
  ValueId input(const Shape& shape) {
    const ValueId v =
        graph_.add_value("input" + std::to_string(graph_.inputs.size()), DType::f32, shape);
    graph_.inputs.push_back(v);
    return v;
  }
  ValueId constant(const Shape& shape, float low, float high) {
    Tensor t =
        random_tensor(shape, seed_ * 1000 + static_cast<uint32_t>(graph_.values.size()), low, high);
    return graph_.add_constant("constant" + std::to_string(graph_.values.size()), std::move(t));
  }
  ValueId node(const std::string& op, std::vector<ValueId> inputs,
               std::map<std::string, Attribute, std::less<>> attributes = {}) {
    Node n;
    n.op = op;
    n.name = op + std::to_string(graph_.nodes.size());
    n.inputs = std::move(inputs);
    n.attributes = std::move(attributes);
    n.outputs = {graph_.add_value(n.name + ".out", DType::f32, {})};
    const auto id = static_cast<NodeId>(graph_.nodes.size());
    const ValueId out = n.outputs[0];
    graph_.value(out).producer = id;
    graph_.nodes.push_back(std::move(n));
    Infer infer(graph_, id);
    if (!find_op(op)->infer(infer)) std::abort();
    return out;
  }

  /// A float that was made before, or a constant.
  ValueId any() {
    const int kind = of(0, 9);
    if (kind == 0) return constant({}, -2, 2);
    if (kind == 1) return constant(smaller(), -2, 2);
    return among(floats_);
  }
  ValueId positive() { return node("Add", {node("Abs", {any()}), constant({}, 0.5f, 1)}); }
  /// Far from every other number, so that rounding turns no comparison round.
  ValueId threshold() { return constant({}, 0.123f, 0.124f); }

  void add_any() {
    static const std::vector<std::string> kUnary{
        "Relu", "Sigmoid", "Tanh", "HardSwish", "Silu", "Abs", "Neg", "LeakyRelu", "HardSigmoid"};
    static const std::vector<std::string> kBinary{"Add", "Sub", "Mul", "Max", "Min"};
    switch (of(0, 11)) {
      case 0:
        return floats_.push_back(node("Div", {any(), positive()}));
      case 1:
        return floats_.push_back(node("Sqrt", {positive()}));
      case 2:
        return floats_.push_back(
            node("Clip", {among(floats_), constant({}, -1.5f, -0.5f), constant({}, 0.5f, 1.5f)}));
      case 3:
        return floats_.push_back(node("Pow", {positive(), constant({}, 1.5f, 2.5f)}));
      case 4:
        return booleans_.push_back(node("Greater", {among(floats_), threshold()}));
      case 5:
        if (booleans_.empty()) break;
        return floats_.push_back(node("Where", {among(booleans_), any(), any()}));
      case 6:
        if (booleans_.empty()) break;
        return floats_.push_back(node("Cast", {among(booleans_)}, {{"to", int64_t{1}}}));
      case 7:
        if (booleans_.empty()) break;
        return booleans_.push_back(
            node(of(0, 1) ? "And" : "Xor", {among(booleans_), node("Not", {among(booleans_)})}));
      case 8:
      case 9:
        return floats_.push_back(node(among(kUnary), {among(floats_)}));
      default:
        break;
    }
    floats_.push_back(node(among(kBinary), {among(floats_), any()}));
  }

  std::mt19937 engine_;
  uint32_t seed_;
  Graph graph_;
  Shape full_;
  std::vector<ValueId> floats_, booleans_;
};

}  // namespace

Graph random_pointwise_network(uint32_t seed, int most_nodes) {
  return Maker(seed).make(most_nodes);
}

}  // namespace vultus::test
