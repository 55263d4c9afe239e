#include "tests/support/op_case.hpp"

#include <cmath>
#include <random>

#include "host/core/half.hpp"
#include "host/ops/op.hpp"

namespace vultus::test {
namespace {

double value_at(const Tensor& t, size_t i) {
  switch (t.dtype()) {
    case DType::boolean:
      return t.as<bool>()[i] ? 1 : 0;
    case DType::i32:
      return t.as<int32_t>()[i];
    case DType::i64:
      return static_cast<double>(t.as<int64_t>()[i]);
    default:
      return static_cast<double>(t.as<float>()[i]);
  }
}

enum class Feed { as_it_is, nhwc8, linear };

/// Puts a node before graph input `id` that makes it lie in the wanted layout, and returns what to
/// upload.
Tensor feed(Graph& graph, size_t input, const Tensor& t, Feed how) {
  ValueId id = graph.inputs[input];
  if (how == Feed::as_it_is || t.dtype() != DType::f32 || t.shape().rank() != 4) return t.clone();
  const Shape& s = t.shape();
  Node node;
  node.name = "feed" + std::to_string(input);
  Tensor uploaded = t.clone();
  if (how == Feed::linear) {
    node.op = "Squeeze";
    uploaded.reshape({1, s[0], s[1], s[2], s[3]});
  } else {
    node.op = "Transpose";
    node.attributes["perm"] = std::vector<int64_t>{0, 3, 1, 2};
    uploaded = Tensor(DType::f32, {s[0], s[2], s[3], s[1]});
    size_t i = 0;
    for_each(uploaded.shape(), [&](const Index& at) {
      uploaded.as<float>()[i++] = static_cast<float>(element(t, {at[0], at[3], at[1], at[2]}));
    });
  }
  ValueId outer = graph.add_value("outer" + std::to_string(input), DType::f32, uploaded.shape());
  node.inputs = {outer};
  node.outputs = {id};
  graph.inputs[input] = outer;
  graph.nodes.insert(graph.nodes.begin(), std::move(node));
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    for (ValueId v : graph.nodes[n].outputs)
      if (v != kNoValue) graph.value(v).producer = static_cast<NodeId>(n);
  return uploaded;
}

void run_case(Device& device, const OpCase& what, const Reference& reference, Feed how,
              Precision precision) {
  std::vector<Operand> operands;
  for (const Operand& o : what.operands)
    operands.push_back({o.tensor.bytes() ? o.tensor.clone() : Tensor(), o.constant});
  auto graph = single_node(what.op, what.attributes, operands, what.outputs, what.opset);
  ASSERT_TRUE(graph) << graph.error().what;
  Support support = device.supports(*graph, graph->nodes[0], precision);
  ASSERT_TRUE(support.ok) << support.reason;
  std::vector<Tensor> uploads;
  for (const Operand& o : operands)
    if (o.tensor.bytes() && !o.constant)
      uploads.push_back(feed(*graph, uploads.size(), o.tensor, how));
  std::vector<const Tensor*> inputs;
  for (const Tensor& t : uploads)
    inputs.push_back(&t);
  auto results = run_on(device, *graph, inputs, precision);
  ASSERT_TRUE(results) << results.error().what;
  double tolerance = precision == Precision::fp32 ? what.tolerance_fp32 : what.tolerance_fp16;
  int wrong = 0;
  for (size_t i = 0; i < results->size(); ++i)
    for_each((*results)[i].shape(), [&](const Index& index) {
      double got = element((*results)[i], index), expected = reference(i, index);
      bool same = got == expected || (std::isnan(got) && std::isnan(expected)) ||
                  std::abs(got - expected) <= tolerance * (1 + std::abs(expected));
      if (!same && ++wrong <= 4)
        ADD_FAILURE() << what.op << " output " << i << " of " << (*results)[i].shape().str()
                      << " at " << ::testing::PrintToString(index) << ": " << got << ", expected "
                      << expected;
    });
  EXPECT_EQ(wrong, 0) << what.op << " in " << name_of(precision) << ", feed "
                      << static_cast<int>(how);
}

}  // namespace

double element(const Tensor& t, const Index& index) {
  size_t at = 0;
  for (size_t d = 0; d < index.size(); ++d)
    at = at * static_cast<size_t>(t.shape()[static_cast<int>(d)]) + static_cast<size_t>(index[d]);
  return value_at(t, at);
}

double broadcast_element(const Tensor& t, const Index& index) {
  size_t skipped = index.size() - static_cast<size_t>(t.shape().rank());
  Index own(index.begin() + static_cast<std::ptrdiff_t>(skipped), index.end());
  for (size_t d = 0; d < own.size(); ++d)
    if (t.shape()[static_cast<int>(d)] == 1) own[d] = 0;
  return element(t, own);
}

void for_each(const Shape& shape, const std::function<void(const Index&)>& visit) {
  Index index(static_cast<size_t>(shape.rank()), 0);
  for (int64_t i = 0; i < shape.elements(); ++i) {
    visit(index);
    for (size_t d = index.size(); d-- > 0;) {
      if (++index[d] < shape[static_cast<int>(d)]) break;
      index[d] = 0;
    }
  }
}

Tensor random_halves(const Shape& shape, uint32_t seed, float low, float high) {
  Tensor t = random_tensor(shape, seed, low, high);
  for (float& v : t.as<float>())
    v = float_from_half(half_from_float(v));
  return t;
}

Tensor random_booleans(const Shape& shape, uint32_t seed) {
  Tensor t(DType::boolean, shape);
  std::mt19937 engine(seed);
  for (bool& v : t.as<bool>())
    v = engine() % 2 != 0;
  return t;
}

Tensor random_integers(const Shape& shape, uint32_t seed, int64_t low, int64_t high) {
  Tensor t(DType::i64, shape);
  std::mt19937 engine(seed);
  std::uniform_int_distribution<int64_t> uniform(low, high - 1);
  for (int64_t& v : t.as<int64_t>())
    v = uniform(engine);
  return t;
}

Operand constant(Tensor tensor) {
  return {std::move(tensor), true};
}

double activated(double x, const Epilogue& e) {
  const double a = static_cast<double>(e.alpha), b = static_cast<double>(e.beta);
  switch (e.kind) {
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::leaky_relu:
      return x < 0 ? a * x : x;
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::clip:
      return std::min(std::max(x, a), b);
    case Activation::hard_sigmoid:
      return std::min(std::max(a * x + b, 0.0), 1.0);
    case Activation::hard_swish:
      return x * std::min(std::max(x / 6 + 0.5, 0.0), 1.0);
    case Activation::tanh:
      return std::tanh(x);
    default:
      return x;
  }
}

void expect_op(Device& device, const OpCase& what, const Reference& reference) {
  for (Precision precision : {Precision::fp32, Precision::fp16})
    for (Feed how : {Feed::nhwc8, Feed::linear}) {
      bool images = false;
      for (const Operand& o : what.operands)
        images = images || (!o.constant && o.tensor.bytes() && o.tensor.shape().rank() == 4 &&
                            o.tensor.dtype() == DType::f32);
      if (!images && how == Feed::linear) continue;
      run_case(device, what, reference, how, precision);
    }
}

}  // namespace vultus::test
