#include <algorithm>
#include <optional>
#include <string_view>

#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"

namespace vultus::cpu {
namespace {

using dnnl::algorithm;

bool keeps_zero(const Epilogue& epilogue) {
  switch (epilogue.kind) {
    case Activation::sigmoid:
    case Activation::hard_sigmoid:
      return false;
    case Activation::clip:
      return epilogue.alpha <= 0 && epilogue.beta >= 0;
    default:
      return true;
  }
}

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

/// The blocked layout of `like` for other sizes of the same rank; nothing when it is not blocked.
std::optional<Desc> blocked_like(const Desc& like, const std::vector<int64_t>& dims) {
  using tag = dnnl::memory::format_tag;
  int block = channel_block(like);
  if (block < 8 || dims.size() != like.dims().size()) return {};
  static constexpr tag kTags[3][2] = {
      {tag::nCw8c, tag::nCw16c}, {tag::nChw8c, tag::nChw16c}, {tag::nCdhw8c, tag::nCdhw16c}};
  return Desc(dims, dnnl::memory::data_type::f32, kTags[dims.size() - 3][block == 16 ? 1 : 0]);
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
  Operand target = b.may_overwrite(source, id) ? b.output_in(y, desc, source) : b.output(y, desc);
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
  auto blocked = [&](ValueId v) { return channel_block(b.layout(v)) >= 8; };
  if (commutes(kind) && (!is_full(left) || (is_full(right) && !blocked(left) && blocked(right))))
    std::swap(left, right);
  if (!is_full(left)) return b.add_plain(id);

  Desc desc = b.layout(left);
  if (channel_block(desc) == 0) desc = b.plain_desc(left);
  Epilogue epilogue = epilogue_of(node);
  Operand second;
  std::vector<int64_t> dims = with_rank(b.shape(right), std::max(out.rank(), 1));
  if (b.shape(right) == out) {
    // 0 / 0 in the padding would not stay zero.
    if (is_padded(desc) && kind == algorithm::binary_div) desc = b.plain_desc(left);
    second = b.input(right, desc);
  } else {
    bool per_channel =
        dims.size() >= 3 && b.shape(right).rank() == out.rank() &&
        std::all_of(dims.begin() + 2, dims.end(), [](int64_t d) { return d == 1; }) &&
        dims[1] == out[1] && kind != algorithm::binary_div;
    std::optional<Desc> same = per_channel ? blocked_like(desc, dims) : std::nullopt;
    if (same) {
      second = b.input(right, *same);
    } else {
      desc = b.plain_desc(left);
      second = {b.plain(right).buffer, row_major(dims)};
    }
  }
  if (is_padded(desc) && !keeps_zero(epilogue)) {
    desc = b.plain_desc(left);
    second = {b.plain(right).buffer, row_major(dims)};
  }
  dnnl::post_ops ops;
  append(ops, epilogue);
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
  return {};
}

}  // namespace vultus::cpu
