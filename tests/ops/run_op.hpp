#pragma once

#include <utility>
#include <vector>

#include "host/ops/op.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/support.hpp"

namespace vultus::test {

using Attributes = std::map<std::string, Attribute, std::less<>>;

/// Constant operands of a node under test. A default Tensor is an absent optional input.
template <class... T>
std::vector<Operand> operands(T&&... tensors) {
  std::vector<Operand> list;
  (list.push_back({std::forward<T>(tensors), true}), ...);
  return list;
}

/// Runs an operator's plain kernel twice; the second time it must allocate nothing.
inline Result<void> run_twice(const Op& op, Eval& eval) {
  const std::vector<TensorView> inputs = eval.in, outputs = eval.out;
  // In a network the first input is there at run time only.
  if (op.prepare) eval.in[0].bytes = nullptr;
  VULTUS_TRY(Prepared prepared, prepare(op, eval));
  Tensor scratch(DType::u8, {prepared.scratch_bytes});
  eval.in = inputs;
  eval.scratch = scratch.bytes();
  VULTUS_CHECK(prepared.kernel(eval));
  eval.out = outputs;
  AllocationCount count;
  auto again = prepared.kernel(eval);
  count.stop();
  EXPECT_EQ(count.ours(), 0) << op.name << "; the first one:\n" << count.first();
  return again;
}

/// Infers one node over constant operands and runs its plain kernel.
inline Result<std::vector<Tensor>> run_op(const std::string& op, Attributes attributes,
                                          const std::vector<Operand>& inputs, size_t outputs = 1,
                                          int opset = 18) {
  VULTUS_TRY(Graph graph, single_node(op, std::move(attributes), inputs, outputs, opset));
  const Node& node = graph.node(0);
  std::vector<Tensor> results;
  Eval eval{node, {}, {}};
  for (const Operand& operand : inputs)
    eval.in.push_back(operand.tensor.view());
  for (ValueId v : node.outputs) {
    results.emplace_back(graph.value(v).dtype, graph.shape(v));
    eval.out.push_back(results.back().view());
  }
  VULTUS_CHECK(run_twice(*find_op(op), eval));
  for (size_t i = 0; i < results.size(); ++i)
    if (graph.value(node.outputs[i]).dynamic_rows) results[i].truncate(eval.out[i].shape[0]);
  return results;
}

/// The only output; the test fails when there is an error.
inline Tensor run(const std::string& op, Attributes attributes, const std::vector<Operand>& inputs,
                  int opset = 18) {
  auto results = run_op(op, std::move(attributes), inputs, 1, opset);
  if (!results) {
    ADD_FAILURE() << results.error().what;
    return {};
  }
  return std::move((*results)[0]);
}

/// The message of the refusal; empty when there was none.
inline std::string refusal(const std::string& op, Attributes attributes,
                           const std::vector<Operand>& inputs, int opset = 18, size_t outputs = 1) {
  auto results = run_op(op, std::move(attributes), inputs, outputs, opset);
  return results ? "" : results.error().what;
}

inline void expect_in(std::string_view fragment, const std::string& message) {
  EXPECT_NE(message.find(fragment), std::string::npos)
      << "expected '" << fragment << "' in '" << message << "'";
}

template <class T>
std::vector<T> values(const Tensor& t) {
  if (t.dtype() != dtype_of<T>()) {
    ADD_FAILURE() << "type is " << name_of(t.dtype());
    return {};
  }
  auto span = t.as<T>();
  return {span.begin(), span.end()};
}

inline Tensor floats(const Shape& shape, std::initializer_list<float> v) {
  return Tensor::of<float>(shape, v);
}
inline Tensor ints(std::initializer_list<int64_t> v) {
  return Tensor::of<int64_t>({static_cast<int64_t>(v.size())}, v);
}
inline Tensor scalar(float v) {
  return Tensor::of<float>({}, {v});
}
inline Tensor scalar(int64_t v) {
  return Tensor::of<int64_t>({}, {v});
}
/// 0, 1, 2, ... as floats.
inline Tensor iota(const Shape& shape) {
  Tensor t(DType::f32, shape);
  float next = 0;
  for (float& v : t.as<float>())
    v = next++;
  return t;
}

}  // namespace vultus::test
