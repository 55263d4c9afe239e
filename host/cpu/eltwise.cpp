#include <algorithm>
#include <optional>
#include <string_view>

#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"

namespace vultus::cpu {
namespace {

using dnnl::algorithm;

algorithm algorithm_of(std::string_view op) {
  if (op == "Add") return algorithm::binary_add;
  if (op == "Sub") return algorithm::binary_sub;
  if (op == "Mul") return algorithm::binary_mul;
  if (op == "Div") return algorithm::binary_div;
  if (op == "Max") return algorithm::binary_max;
  if (op == "Min") return algorithm::binary_min;
  return algorithm::undef;
}

bool commutes(algorithm kind) {
  return kind != algorithm::binary_sub && kind != algorithm::binary_div;
}

/// Sizes of `shape` under leading ones.
std::vector<int64_t> with_rank(const Shape& shape, int rank) {
  std::vector<int64_t> dims(static_cast<size_t>(rank - shape.rank()), 1);
  dims.insert(dims.end(), shape.begin(), shape.end());
  return dims;
}

}  // namespace

Result<void> build_unary(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  std::optional<Epilogue> epilogue = as_epilogue(b.graph(), node);
  if (!epilogue || epilogue->kind == Activation::none) return b.add_plain(id);
  ValueId x = node.inputs[0], y = node.outputs[0];
  Desc desc = b.layout(x);
  // oneDNN keeps the padding of a blocked layout zero only in its reference kernel.
  if (is_padded(desc) && !keeps_zero(*epilogue)) desc = b.plain_desc(x);
  Operand source = b.input(x, desc);
  Operand target = b.output_over(id, y, desc, source);
  b.add_activation(id, *epilogue, source, target);
  return {};
}

Result<void> build_binary(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  algorithm kind = algorithm_of(node.op);
  if (kind == algorithm::undef || node.inputs.size() != 2) return b.add_plain(id);
  ValueId left = node.inputs[0], right = node.inputs[1], y = node.outputs[0];
  const Shape& out = b.shape(y);
  auto is_full = [&](ValueId v) { return b.shape(v) == out && !b.graph().constant(v); };
  auto is_plain = [&](ValueId v) { return family_of(b.layout(v)) == Family::plain; };
  if (commutes(kind) && (!is_full(left) || (is_full(right) && is_plain(left) && !is_plain(right))))
    std::swap(left, right);
  if (!is_full(left)) return b.add_plain(id);

  Epilogue epilogue = epilogue_of(node);
  std::vector<int64_t> dims = with_rank(b.shape(right), std::max(out.rank(), 1));
  Family family = family_of(b.layout(left));
  if (family == Family::other) family = Family::plain;
  if (b.shape(right) != out) {
    bool per_channel =
        b.shape(right).rank() == out.rank() && out.rank() >= 3 &&
        std::all_of(dims.begin() + 2, dims.end(), [](int64_t d) { return d == 1; }) &&
        dims[1] == out[1] && out[1] > 1;
    if (!per_channel) family = Family::plain;
  }
  Desc desc = in_family(family, with_rank(out, std::max(out.rank(), 1)));
  // The padding must stay zero: 0 / 0 does not.
  if (is_padded(desc) && (kind == algorithm::binary_div || !keeps_zero(epilogue))) {
    family = Family::plain;
    desc = b.plain_desc(left);
  }
  Operand second = family == Family::plain ? Operand{b.plain(right).buffer, row_major(dims)}
                                           : b.input(right, in_family(family, dims));
  // With a padded last block oneDNN 2.6.3 gets an activation after the operation wrong.
  bool apart = is_padded(desc);
  dnnl::post_ops ops;
  if (!apart) append(ops, epilogue);
  Operand first = b.input(left, desc);
  dnnl::binary::primitive_desc pd({kind, desc, second.desc, desc}, attributes(ops), b.engine(),
                                  true);
  if (!pd.get(true) || std::string_view(pd.impl_info_str()).starts_with("ref"))
    return b.add_plain(id);
  Operand target = b.may_overwrite(first, id) && first.buffer != second.buffer
                       ? b.output_in(y, desc, first)
                       : b.output(y, desc);
  b.add(id, dnnl::binary(pd), pd.scratchpad_desc(),
        {{DNNL_ARG_SRC_0, first}, {DNNL_ARG_SRC_1, second}, {DNNL_ARG_DST, target}});
  if (apart) b.add_activation(id, epilogue, target, target);
  return {};
}

}  // namespace vultus::cpu
