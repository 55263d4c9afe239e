#include "host/ops/op.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace vultus {

namespace {

std::map<std::string_view, Op>& registry() {
  static std::map<std::string_view, Op> ops;
  return ops;
}

}  // namespace

Register::Register(const Op& op) {
  registry().emplace(op.name, op);
}

const Op* find_op(std::string_view name) {
  auto it = registry().find(name);
  return it == registry().end() ? nullptr : &it->second;
}

std::vector<const Op*> all_ops() {
  std::vector<const Op*> ops;
  for (auto& [name, op] : registry())
    ops.push_back(&op);
  return ops;
}

int64_t macs(const Graph& graph, const Node& node) {
  const Op* op = find_op(node.op);
  return op && op->macs ? op->macs(graph, node) : 0;
}

Result<Prepared> prepare(const Op& op, const Eval& eval) {
  assert(op.has_plain_kernel());
  if (op.prepare) return op.prepare(eval);
  return Prepared{op.eval};
}

Result<void> evaluate(const Op& op, Eval& eval) {
  VULTUS_TRY(Prepared prepared, prepare(op, eval));
  Tensor scratch = Tensor::uninitialised(DType::u8, {prepared.scratch_bytes});
  eval.scratch = scratch.bytes();
  return prepared.kernel(eval);
}

std::string describe(const Node& node) {
  return fmt::format("{} '{}'", node.op, node.name);
}

Error fail(const Node& node, std::string_view what) {
  return {Errc::bad_model, fmt::format("{}: {}", describe(node), what)};
}

Error Infer::fail(std::string_view what) const {
  return vultus::fail(node_, what);
}

Error Eval::fail(std::string_view what) const {
  return vultus::fail(node, what);
}

std::vector<int64_t> Eval::integers(size_t i) const {
  std::vector<int64_t> out;
  if (!has(i)) return out;
  if (in[i].dtype == DType::i64)
    out.assign(in[i].as<int64_t>().begin(), in[i].as<int64_t>().end());
  else
    out.assign(in[i].as<int32_t>().begin(), in[i].as<int32_t>().end());
  return out;
}

int64_t Eval::integer(size_t i, size_t k) const {
  return in[i].dtype == DType::i64 ? in[i].as<const int64_t>()[k] : in[i].as<const int32_t>()[k];
}

Result<std::vector<int64_t>> Infer::integers(size_t i, std::string_view what) const {
  const Tensor* t = constant(i);
  if (!t)
    return fail(
        fmt::format("{} is computed at run time; only constants are supported here (bind symbolic "
                    "sizes with --shape)",
                    what));
  std::vector<int64_t> out;
  if (t->dtype() == DType::i64)
    out.assign(t->as<int64_t>().begin(), t->as<int64_t>().end());
  else if (t->dtype() == DType::i32)
    out.assign(t->as<int32_t>().begin(), t->as<int32_t>().end());
  else
    return fail(fmt::format("{} has type {}, expected int64 or int32", what, name_of(t->dtype())));
  return out;
}

Result<void> Infer::set(size_t i, DType dtype, const Shape& shape) {
  auto n = checked_elements(shape.dims());
  if (!n || *n * static_cast<int64_t>(size_of(dtype)) > kMaxTensorBytes)
    return fail(fmt::format(
        "output {} would be {} {}, which is not a size this engine accepts (limit {} GiB)", i,
        shape.str(), name_of(dtype), kMaxTensorBytes >> 30));
  if (i >= node_.outputs.size() || node_.outputs[i] == kNoValue) return {};
  Value& v = graph_.value(node_.outputs[i]);
  v.dtype = dtype;
  v.shape = shape;
  return {};
}

Result<int> Infer::axis(int64_t axis, int rank) const {
  if (axis < -rank || axis >= rank)
    return fail(fmt::format("axis {} is out of range for rank {}", axis, rank));
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Result<std::vector<int>> Infer::axes(const std::vector<int64_t>& list, int rank) const {
  std::vector<int> out;
  for (int64_t a : list) {
    VULTUS_TRY(int checked, axis(a, rank));
    out.push_back(checked);
  }
  std::sort(out.begin(), out.end());
  auto twice = std::adjacent_find(out.begin(), out.end());
  if (twice != out.end()) return fail(fmt::format("axis {} is given twice", *twice));
  return out;
}

Result<Shape> Infer::make_shape(std::span<const int64_t> dims) const {
  if (dims.size() > static_cast<size_t>(kMaxRank))
    return fail(
        fmt::format("output would have rank {}, at most {} is supported", dims.size(), kMaxRank));
  for (int64_t d : dims)
    if (d < 0) return fail(fmt::format("output would have a size of {}", d));
  return Shape(dims);
}

Result<void> Infer::expect_type(size_t i, std::initializer_list<DType> types) const {
  if (!has(i)) return {};
  if (std::find(types.begin(), types.end(), dtype(i)) != types.end()) return {};
  std::string names;
  for (DType t : types)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name_of(t));
  return fail(fmt::format("input {} has type {}, supported: {}", i, name_of(dtype(i)), names));
}

Result<void> Infer::expect_inputs(size_t least, size_t most) const {
  if (inputs() < least || inputs() > most)
    return fail(fmt::format("has {} inputs, expected {} to {}", inputs(), least, most));
  for (size_t i = 0; i < least; ++i)
    if (!has(i)) return fail(fmt::format("input {} is missing", i));
  return {};
}

Result<void> infer_shapes(Graph& graph) {
  for (NodeId n = 0; n < static_cast<NodeId>(graph.nodes.size()); ++n) {
    const Op* op = find_op(graph.node(n).op);
    if (!op)
      return Error{
          Errc::bad_model,
          fmt::format("{}: this operator is not supported (docs/operators.md lists those that are)",
                      describe(graph.node(n)))};
    Infer infer(graph, n);
    VULTUS_CHECK(op->infer(infer));
  }
  return {};
}

}  // namespace vultus
