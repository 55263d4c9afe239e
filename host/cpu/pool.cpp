#include "host/cpu/builder.hpp"
#include "host/cpu/fused.hpp"
#include "host/cpu/kernels.hpp"
#include "host/cpu/mean.hpp"
#include "host/cpu/window.hpp"
#include "host/graph/fused.hpp"

namespace vultus::cpu {
Result<void> build_pool(Builder& b, NodeId id) {
  using Pool = dnnl::pooling_v2_forward;
  const Node& node = b.node(id);
  ValueId x = node.inputs[0], y = node.outputs[0];
  bool is_max = node.op == "MaxPool";
  bool counts_pad = node.integer("count_include_pad", 0) != 0;
  bool ceil = node.integer("ceil_mode", 0) != 0;
  if ((node.outputs.size() > 1 && !has_second_output(node)) || b.shape(x).rank() < 3 ||
      b.shape(x).rank() > 5 || (ceil && counts_pad))
    return b.add_plain(id);
  Window w = window_of(node, node.integers("kernel_shape"), b.shape(x), b.shape(y));

  dnnl::algorithm kind = is_max       ? dnnl::algorithm::pooling_max
                         : counts_pad ? dnnl::algorithm::pooling_avg_include_padding
                                      : dnnl::algorithm::pooling_avg_exclude_padding;
  Desc in = b.layout(x);
  if (family_of(in) == Family::other) in = b.plain_desc(x);
  const Shape& out = b.shape(y);
  Desc any({out.begin(), out.end()}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
  Pool::primitive_desc pd({dnnl::prop_kind::forward_inference, kind, in, any, w.strides, w.kernel,
                           w.dilations, w.begin, w.end},
                          attributes(), b.engine(), true);
  if (!pd.get(true)) return b.add_plain(id);
  Operand source = b.input(x, in);
  Operand target = b.output(y, pd.dst_desc());
  b.add(id, Pool(pd), pd.scratchpad_desc(), {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, target}});
  add_fused(b, id, target, kNoValue, has_second_output(node));
  return {};
}

Result<void> build_global_average_pool(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  ValueId x = node.inputs[0], y = node.outputs[0];
  const Shape& shape = b.shape(x);
  if (shape.rank() < 3) return b.add_plain(id);
  Family family = family_of(b.layout(x));
  if (family == Family::other) family = Family::plain;
  Arrangement a = arrangement_of(family, shape);
  Operand source = b.input(x, in_family(family, {shape.begin(), shape.end()}));
  Desc out = in_family(family, b.plain_desc(y).dims());

  b.add(id, {source, b.output(y, out)}, [a](std::span<std::byte* const> at) -> Result<void> {
    auto from = reinterpret_cast<const float*>(at[0]);
    auto to = reinterpret_cast<float*>(at[1]);
#pragma omp parallel for
    for (int64_t i = 0; i < mean_pieces(a); ++i)
      mean_of_piece(from, a, i, to);
    return {};
  });
  return {};
}

}  // namespace vultus::cpu
