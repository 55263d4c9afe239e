#include "host/cpu/channel_scale.hpp"

#include <algorithm>

#include "host/cpu/simd.hpp"

namespace vultus::cpu {
namespace {

/// Points of `block` channels, each times the block's scales.
VULTUS_SIMD void scale_points(const float* in, const float* scale, int64_t points, int64_t block,
                              float* out) {
  for (int64_t p = 0; p < points; ++p)
    for (int64_t c = 0; c < block; ++c)
      out[p * block + c] = in[p * block + c] * scale[c];
}

VULTUS_SIMD void scale_map(const float* in, float scale, int64_t points, float* out) {
  for (int64_t p = 0; p < points; ++p)
    out[p] = in[p] * scale;
}

constexpr int64_t kRun = 16;

/// Runs of 16 weights that share an input channel.
VULTUS_SIMD void scale_runs(const float* in, const int32_t* channel, const float* scale,
                            int64_t runs, float* out) {
  for (int64_t r = 0; r < runs; ++r) {
    const float factor = scale[channel[r]];
    for (int64_t i = 0; i < kRun; ++i)
      out[r * kRun + i] = in[r * kRun + i] * factor;
  }
}

VULTUS_SIMD void scale_each(const float* in, const int32_t* channel, const float* scale,
                            int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i)
    out[i] = in[i] * scale[channel[i]];
}

/// The input channel of every weight as it lies in `to`; padding counts as channel 0.
std::vector<int32_t> channels_in(const Shape& weights, const Desc& from, const Desc& to,
                                 const dnnl::engine& engine) {
  Tensor plain(DType::f32, weights);
  const int64_t taps = weights.elements() / (weights[0] * weights[1]);
  for (size_t i = 0; float& v : plain.as<float>())
    v = static_cast<float>(static_cast<int64_t>(i++) / taps % weights[1]);
  std::vector<float> packed(to.get_size() / sizeof(float), 0.0f);
  dnnl::memory source(from, engine, plain.bytes()), target(to, engine, packed.data());
  dnnl::stream stream(engine);
  dnnl::reorder(source, target).execute(stream, source, target);
  stream.wait();
  return {packed.begin(), packed.end()};
}

/// One channel per run of 16, or nothing where a run has several.
std::vector<int32_t> per_run(const std::vector<int32_t>& channels) {
  std::vector<int32_t> runs;
  if (channels.size() % kRun != 0) return {};
  for (auto at = channels.begin(); at != channels.end(); at += kRun) {
    if (std::any_of(at, at + kRun, [&](int32_t c) { return c != *at; })) return {};
    runs.push_back(*at);
  }
  return runs;
}

}  // namespace

Operand scaled_channels(Builder& b, NodeId id, const Operand& x, const Shape& shape,
                        ValueId scale) {
  Family family = family_of(x.desc);
  const std::vector<int64_t> dims(shape.begin(), shape.end());
  Operand source = x;
  if (family == Family::other) {
    family = Family::plain;
    source = b.reordered(x, row_major(dims));
  }
  const Arrangement a = arrangement_of(family, shape);
  Operand factors = b.input(scale, in_family(family, b.plain_desc(scale).dims()));
  Operand out{b.scratch(static_cast<int64_t>(source.desc.get_size())).buffer, source.desc};
  b.add(id, {source, factors, out}, [a](std::span<std::byte* const> at) -> Result<void> {
    auto from = reinterpret_cast<const float*>(at[0]);
    auto by = reinterpret_cast<const float*>(at[1]);
    auto to = reinterpret_cast<float*>(at[2]);
    // Channels last has one group a batch: threads take pieces of the points.
    const int64_t pieces = a.block == 1 ? 1 : std::min<int64_t>(a.points, 16);
#pragma omp parallel for
    for (int64_t i = 0; i < a.batch * a.groups * pieces; ++i) {
      const int64_t g = i / pieces, first = i % pieces * a.points / pieces,
                    end = (i % pieces + 1) * a.points / pieces;
      const int64_t start = (g * a.points + first) * a.block;
      if (a.block == 1)
        scale_map(from + start, by[g], end - first, to + start);
      else
        scale_points(from + start, by + g * a.block, end - first, a.block, to + start);
    }
    return {};
  });
  return b.reordered(out, x.desc);
}

Operand scaled_weights(Builder& b, NodeId id, ValueId weights, const Desc& from, const Desc& to,
                       ValueId scale) {
  Operand source = b.constant(weights, from, to);
  Operand out{b.scratch(static_cast<int64_t>(to.get_size())).buffer, to};
  std::vector<int32_t> channels = channels_in(b.shape(weights), from, to, b.engine());
  std::vector<int32_t> runs = per_run(channels);
  const bool in_runs = !runs.empty();
  b.add(id, {source, b.plain(scale), out},
        [in_runs, list = in_runs ? std::move(runs) : std::move(channels)](
            std::span<std::byte* const> at) -> Result<void> {
          auto in = reinterpret_cast<const float*>(at[0]);
          auto by = reinterpret_cast<const float*>(at[1]);
          auto out = reinterpret_cast<float*>(at[2]);
          const auto count = static_cast<int64_t>(list.size());
          if (in_runs)
            scale_runs(in, list.data(), by, count, out);
          else
            scale_each(in, list.data(), by, count, out);
          return {};
        });
  return out;
}

}  // namespace vultus::cpu
