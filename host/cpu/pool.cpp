#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"
#include "host/cpu/window.hpp"

namespace vultus::cpu {
namespace {

/// Means over runs of `count` points of `Block` channels each. Partial sums of 64 points keep the
/// rounding error of large maps small.
template <int Block>
[[gnu::always_inline]] inline void mean_of(const float* in, int64_t count, float* out) {
  float total[Block] = {};
  for (int64_t start = 0; start < count; start += 64) {
    float sum[Block] = {};
    int64_t end = std::min<int64_t>(start + 64, count);
    for (int64_t i = start; i < end; ++i)
      for (int c = 0; c < Block; ++c)
        sum[c] += in[i * Block + c];
    for (int c = 0; c < Block; ++c)
      total[c] += sum[c];
  }
  for (int c = 0; c < Block; ++c)
    out[c] = total[c] / static_cast<float>(count);
}

[[gnu::target_clones("avx512f", "avx2", "default")]] void mean_16(const float* in, int64_t count,
                                                                  float* out) {
  mean_of<16>(in, count, out);
}

[[gnu::target_clones("avx512f", "avx2", "default")]] void mean_8(const float* in, int64_t count,
                                                                 float* out) {
  mean_of<8>(in, count, out);
}

[[gnu::target_clones("avx512f", "avx2", "default")]] void mean_1(const float* in, int64_t count,
                                                                 float* out) {
  // Sixteen neighbouring points as if they were channels, then their mean.
  int64_t wide = count / 16;
  double total = 0;
  if (wide > 0) {
    float lanes[16];
    mean_of<16>(in, wide, lanes);
    for (float lane : lanes)
      total += static_cast<double>(lane) * static_cast<double>(wide);
  }
  for (int64_t i = wide * 16; i < count; ++i)
    total += static_cast<double>(in[i]);
  *out = static_cast<float>(total / static_cast<double>(count));
}

}  // namespace

Result<void> build_pool(Builder& b, NodeId id) {
  using Pool = dnnl::pooling_v2_forward;
  const Node& node = b.node(id);
  ValueId x = node.inputs[0], y = node.outputs[0];
  bool is_max = node.op == "MaxPool";
  bool counts_pad = node.integer("count_include_pad", 0) != 0;
  bool ceil = node.integer("ceil_mode", 0) != 0;
  if (node.outputs.size() > 1 || b.shape(x).rank() < 3 || (ceil && counts_pad))
    return b.add_plain(id);
  Window w = window_of(node, node.integers("kernel_shape"), b.shape(x), b.shape(y));

  dnnl::algorithm kind = is_max       ? dnnl::algorithm::pooling_max
                         : counts_pad ? dnnl::algorithm::pooling_avg_include_padding
                                      : dnnl::algorithm::pooling_avg_exclude_padding;
  Desc in = b.layout(x);
  if (channel_block(in) == 0) in = b.plain_desc(x);
  const Shape& out = b.shape(y);
  Desc any({out.begin(), out.end()}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
  Pool::primitive_desc pd({dnnl::prop_kind::forward_inference, kind, in, any, w.strides, w.kernel,
                           w.dilations, w.begin, w.end},
                          attributes(), b.engine(), true);
  if (!pd.get(true)) return b.add_plain(id);
  Operand source = b.input(x, in);
  b.add(id, Pool(pd), pd.scratchpad_desc(),
        {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, b.output(y, pd.dst_desc())}});
  return {};
}

Result<void> build_global_average_pool(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  ValueId x = node.inputs[0], y = node.outputs[0];
  Desc in = b.layout(x);
  int block = channel_block(in);
  if (block == 0) in = b.plain_desc(x), block = 1;
  const Shape& shape = b.shape(x);
  int64_t channels = (shape[1] + block - 1) / block;
  int64_t points = shape.elements() / (shape[0] * shape[1]);
  int64_t runs = shape[0] * channels;

  using tag = dnnl::memory::format_tag;
  Desc out = b.plain_desc(y);
  if (block > 1 && shape.rank() == 4)
    out = Desc(out.dims(), dnnl::memory::data_type::f32, block == 16 ? tag::nChw16c : tag::nChw8c);
  else if (block > 1)
    in = b.plain_desc(x), block = 1, runs = shape[0] * shape[1];
  auto mean = block == 16 ? mean_16 : block == 8 ? mean_8 : mean_1;
  b.add(id, {b.input(x, in), b.output(y, out)},
        [=](std::span<std::byte* const> at) -> Result<void> {
          auto from = reinterpret_cast<const float*>(at[0]);
          auto to = reinterpret_cast<float*>(at[1]);
#pragma omp parallel for
          for (int64_t run = 0; run < runs; ++run)
            mean(from + run * points * block, points, to + run * block);
          return {};
        });
  return {};
}

}  // namespace vultus::cpu
