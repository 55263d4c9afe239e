#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "host/graph/passes/passes.hpp"
#include "host/ops/op.hpp"

namespace vultus {

namespace {

// Folding must never cost more than running: larger results stay nodes.
constexpr int64_t kMaxResultBytes = int64_t{64} << 20;
constexpr int64_t kMaxTotalBytes = int64_t{1} << 30;
constexpr int64_t kMaxTotalMacs = int64_t{1} << 30;

// Numbers of TensorProto.DataType, which Cast keeps in its attribute `to`.
constexpr int64_t kOnnxFloat = 1;
constexpr int64_t kOnnxDouble = 11;

/// Infers one node after the other and evaluates those that depend on nothing that changes, so that
/// the next node's inference already sees their results.
class Folder {
 public:
  explicit Folder(Graph& graph) : graph_(graph) {}

  Result<int> run() {
    int folded = 0;
    for (NodeId n = 0; n < static_cast<NodeId>(graph_.nodes.size()); ++n) {
      const Op* op = find_op(graph_.node(n).op);
      if (!op || !op->infer)
        return Error{Errc::bad_model,
                     fmt::format("{}: this operator is not supported", describe(graph_.node(n)))};
      bool fixed = depends_on_nothing(graph_.node(n));
      if (!fixed) VULTUS_CHECK(use_single_precision(graph_.node(n)));
      Infer infer(graph_, n);
      VULTUS_CHECK(op->infer(infer));
      if (!fixed || !op->has_plain_kernel() || !affordable(graph_.node(n))) continue;
      VULTUS_CHECK(evaluate(*op, graph_.node(n)));
      ++folded;
    }
    graph_.compact();
    return folded;
  }

 private:
  bool depends_on_nothing(const Node& node) const {
    if (node.op == "Shape" || node.op == "Size")
      return node.input(0) != kNoValue && !graph_.value(node.input(0)).dynamic_rows;
    return std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&](ValueId v) { return v == kNoValue || graph_.constant(v); });
  }

  bool affordable(const Node& node) {
    int64_t bytes = 0;
    for (ValueId v : node.outputs) {
      if (v == kNoValue) continue;
      const Value& value = graph_.value(v);
      if (value.dynamic_rows) return false;
      bytes += value.shape.elements() * static_cast<int64_t>(size_of(value.dtype));
    }
    int64_t work = macs(graph_, node);
    if (bytes > kMaxResultBytes || total_bytes_ + bytes > kMaxTotalBytes ||
        total_macs_ + work > kMaxTotalMacs)
      return false;
    total_bytes_ += bytes;
    total_macs_ += work;
    return true;
  }

  Result<void> evaluate(const Op& op, const Node& node) {
    Eval eval{node, {}, {}};
    for (ValueId v : node.inputs) {
      if (v == kNoValue)
        eval.in.emplace_back();
      else if (const Tensor* t = graph_.constant(v))
        eval.in.push_back(t->view());
      else
        eval.in.push_back({graph_.value(v).dtype, graph_.shape(v), nullptr});
    }
    std::vector<Tensor> results;
    for (ValueId v : node.outputs) {
      results.push_back(v == kNoValue ? Tensor() : Tensor(graph_.value(v).dtype, graph_.shape(v)));
      eval.out.push_back(v == kNoValue ? TensorView{} : results.back().view());
    }
    VULTUS_CHECK(vultus::evaluate(op, eval));
    for (size_t i = 0; i < results.size(); ++i)
      if (node.outputs[i] != kNoValue)
        graph_.value(node.outputs[i]).constant =
            std::make_shared<const Tensor>(std::move(results[i]));
    return {};
  }

  /// Doubles exist while folding only: what meets computed values becomes float.
  Result<void> use_single_precision(Node& node) {
    if (node.op == "Cast" && node.integer("to", 0) == kOnnxDouble)
      node.attributes["to"] = kOnnxFloat;
    for (ValueId& v : node.inputs)
      if (graph_.constant(v) && graph_.value(v).dtype == DType::f64) {
        VULTUS_TRY(v, narrowed(v));
      }
    return {};
  }

  Result<ValueId> narrowed(ValueId wide) {
    auto known = narrowed_.find(wide);
    if (known != narrowed_.end()) return known->second;
    auto in = graph_.constant(wide)->as<double>();
    Tensor tensor(DType::f32, graph_.shape(wide));
    auto out = tensor.as<float>();
    for (size_t i = 0; i < in.size(); ++i) {
      out[i] = static_cast<float>(in[i]);
      if (std::isinf(out[i]) && !std::isinf(in[i]))
        return Error{Errc::bad_model,
                     fmt::format("tensor '{}': element {} is {}, which does not fit float32",
                                 graph_.value(wide).name, i, in[i])};
    }
    ValueId narrow = graph_.add_constant(graph_.value(wide).name, std::move(tensor));
    return narrowed_.emplace(wide, narrow).first->second;
  }

  Graph& graph_;
  std::map<ValueId, ValueId> narrowed_;
  int64_t total_bytes_ = 0;
  int64_t total_macs_ = 0;
};

}  // namespace

Result<int> fold_constants(Graph& graph) {
  return Folder(graph).run();
}

}  // namespace vultus
