#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

namespace cpu {
class Builder;  // host/cpu/builder.hpp
}

/// What shape inference may read and must set. Constant inputs (`constant(i)`) are how Reshape,
/// Slice, Pad and the like learn their sizes: an operator that needs one and does not get it says
/// so with `fail`.
class Infer {
 public:
  Infer(Graph& graph, NodeId node) : graph_(graph), node_(graph.node(node)) {}

  const Node& node() const { return node_; }
  size_t inputs() const { return node_.inputs.size(); }
  bool has(size_t i) const { return node_.input(i) != kNoValue; }
  const Shape& shape(size_t i) const { return graph_.shape(node_.input(i)); }
  /// Of an output that is set already.
  const Shape& output_shape(size_t i) const { return graph_.shape(node_.outputs[i]); }
  DType dtype(size_t i) const { return graph_.value(node_.input(i)).dtype; }
  const Tensor* constant(size_t i) const { return graph_.constant(node_.input(i)); }
  /// Constant integers (i64 or i32) of input i, or an error that names the node and the input.
  Result<std::vector<int64_t>> integers(size_t i, std::string_view what) const;
  /// Sets output i's type and shape. Refuses negative or overflowing sizes and results over the
  /// byte budget.
  Result<void> set(size_t i, DType dtype, const Shape& shape);
  void set_dynamic_rows(size_t i) { graph_.value(node_.outputs[i]).dynamic_rows = true; }
  /// `axis` as 0..rank-1, or an error that names the node.
  Result<int> axis(int64_t axis, int rank) const;
  /// "Conv 'head.3': " + what, as Errc::bad_model.
  Error fail(std::string_view what) const;
  /// The same for a list of axes: sorted, each once.
  Result<std::vector<int>> axes(const std::vector<int64_t>& list, int rank) const;
  /// A shape of these sizes, or an error when the rank is above kMaxRank or a size is negative.
  Result<Shape> make_shape(std::span<const int64_t> dims) const;
  /// Fails unless input i, when connected, has one of these types.
  Result<void> expect_type(size_t i, std::initializer_list<DType> types) const;
  /// Fails unless between `least` and `most` inputs are connected, the first `least` of them
  /// really.
  Result<void> expect_inputs(size_t least, size_t most) const;

 private:
  Graph& graph_;
  const Node& node_;
};

/// What a plain kernel sees: row-major inputs and outputs in host memory. Absent optional inputs
/// have no bytes.
struct Eval {
  const Node& node;
  std::vector<TensorView> in;
  std::vector<TensorView>
      out;  ///< shapes as inferred; only `dynamic_rows` outputs may shrink axis 0
  std::byte* scratch = nullptr;  ///< `Prepared::scratch_bytes`, aligned for any type

  bool has(size_t i) const { return i < in.size() && in[i].bytes != nullptr; }
  /// Integers (i64 or i32) of input i; empty when it is absent.
  std::vector<int64_t> integers(size_t i) const;
  /// Integer `k` (i64 or i32) of input i.
  int64_t integer(size_t i, size_t k) const;
  /// "Gather 'head.3': " + what, as Errc::bad_model.
  Error fail(std::string_view what) const;
};

/// A plain kernel that has read its attributes and constant inputs: calling it allocates nothing.
struct Prepared {
  std::function<Result<void>(Eval&)> kernel;
  int64_t scratch_bytes = 0;  ///< memory that `kernel` needs beside its operands
};

/// Largest result that shape inference accepts; more is refused before anything is allocated.
inline constexpr int64_t kMaxTensorBytes = int64_t{4} << 30;

/// An operator: the only source of truth for importer, planner, executor, reports and
/// docs/operators.md. Each lives in its own file host/ops/<op>.cpp and registers itself with a
/// `Register` object; see CONTRIBUTING.md.
struct Op {
  std::string_view name;
  int since = 1;   ///< first opset whose meaning is implemented
  int until = 22;  ///< last one
  /// Checks attributes and sets the outputs' types and shapes.
  Result<void> (*infer)(Infer&) = nullptr;
  /// Plain kernel: constant folding, and the CPU device unless `build` is set. Allocates nothing.
  /// May be null when `build` is not.
  Result<void> (*eval)(Eval&) = nullptr;
  /// In the place of `eval` for kernels that read lists or need scratch memory: reads them once.
  /// Only constant inputs have bytes then; shapes and types are those of every run.
  Result<Prepared> (*prepare)(const Eval&) = nullptr;
  /// Kernel of the CPU device on oneDNN, with its blocked layouts. Null: the plain kernel.
  Result<void> (*build)(cpu::Builder&, NodeId) = nullptr;
  /// Multiply-accumulates at the node's shapes. Null: none.
  int64_t (*macs)(const Graph&, const Node&) = nullptr;
  std::string_view limits = "";  ///< what is not supported, for docs/operators.md and refusals

  bool has_plain_kernel() const { return eval || prepare; }
};

/// The operator of that name, or null.
const Op* find_op(std::string_view name);
/// All operators, by name.
std::vector<const Op*> all_ops();
int64_t macs(const Graph& graph, const Node& node);
/// The plain kernel of an operator that has one, ready to run.
Result<Prepared> prepare(const Op& op, const Eval& eval);
/// Prepares and runs it once.
Result<void> evaluate(const Op& op, Eval& eval);
/// "Conv 'head.3'": how a node is named in messages.
std::string describe(const Node& node);
/// "Conv 'head.3': " + what, as Errc::bad_model.
Error fail(const Node& node, std::string_view what);
/// Infers every node in order; on return all shapes are set.
Result<void> infer_shapes(Graph& graph);

struct Register {
  explicit Register(const Op& op);
};

}  // namespace vultus
