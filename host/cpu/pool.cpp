#include <algorithm>

#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"
#include "host/cpu/simd.hpp"
#include "host/cpu/window.hpp"

namespace vultus::cpu {
namespace {

/// Means of `Lanes` neighbouring channels over `points`, `stride` floats apart. Partial sums of 64
/// points keep the rounding error of large maps small.
template <int Lanes>
[[gnu::always_inline]] inline void mean_of(const float* in, int64_t points, int64_t stride,
                                           float* out) {
  float total[Lanes] = {};
  for (int64_t start = 0; start < points; start += 64) {
    float sum[Lanes] = {};
    int64_t end = std::min<int64_t>(start + 64, points);
    for (int64_t i = start; i < end; ++i)
      for (int c = 0; c < Lanes; ++c)
        sum[c] += in[i * stride + c];
    for (int c = 0; c < Lanes; ++c)
      total[c] += sum[c];
  }
  for (int c = 0; c < Lanes; ++c)
    out[c] = total[c] / static_cast<float>(points);
}

VULTUS_SIMD void mean_64(const float* in, int64_t points, int64_t stride, float* out) {
  mean_of<64>(in, points, stride, out);
}

VULTUS_SIMD void mean_16(const float* in, int64_t points, int64_t stride, float* out) {
  mean_of<16>(in, points, stride, out);
}

void mean_channels(const float* in, int64_t points, int64_t stride, int64_t channels, float* out) {
  int64_t c = 0;
  for (; c + 64 <= channels; c += 64)
    mean_64(in + c, points, stride, out + c);
  for (; c + 16 <= channels; c += 16)
    mean_16(in + c, points, stride, out + c);
  for (; c < channels; ++c)
    mean_of<1>(in + c, points, stride, out + c);
}

/// One row-major map: sixteen neighbouring points as if they were channels, then their mean.
float mean_map(const float* in, int64_t points) {
  int64_t wide = points / 16;
  double total = 0;
  if (wide > 0) {
    float lanes[16];
    mean_16(in, wide, 16, lanes);
    for (float lane : lanes)
      total += static_cast<double>(lane) * static_cast<double>(wide);
  }
  for (int64_t i = wide * 16; i < points; ++i)
    total += static_cast<double>(in[i]);
  return static_cast<float>(total / static_cast<double>(points));
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
  if (family_of(in) == Family::other) in = b.plain_desc(x);
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
  const Shape& shape = b.shape(x);
  if (shape.rank() < 3) return b.add_plain(id);
  Family family = family_of(b.layout(x));
  if (family == Family::other) family = Family::plain;
  Arrangement a = arrangement_of(family, shape);
  Operand source = b.input(x, in_family(family, {shape.begin(), shape.end()}));
  Desc out = in_family(family, b.plain_desc(y).dims());

  // Channels last is one group: cut it into pieces that keep every thread busy.
  int64_t piece = a.block <= 64 ? a.block : 64;
  int64_t pieces = (a.block + piece - 1) / piece;
  b.add(id, {source, b.output(y, out)}, [=](std::span<std::byte* const> at) -> Result<void> {
    auto from = reinterpret_cast<const float*>(at[0]);
    auto to = reinterpret_cast<float*>(at[1]);
#pragma omp parallel for
    for (int64_t i = 0; i < a.batch * a.groups * pieces; ++i) {
      int64_t group = i / pieces, first = i % pieces * piece;
      const float* start = from + group * a.points * a.block + first;
      if (a.block == 1)
        to[group] = mean_map(start, a.points);
      else
        mean_channels(start, a.points, a.block, std::min(piece, a.block - first),
                      to + group * a.block + first);
    }
    return {};
  });
  return {};
}

}  // namespace vultus::cpu
