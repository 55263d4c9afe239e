#include "host/ops/squeeze_excite.hpp"

#include <algorithm>

#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"
#include "host/cpu/mean.hpp"
#include "host/cpu/simd.hpp"

namespace vultus::cpu {
namespace {

constexpr int64_t kPiece = 64;  // channels that a thread excites at a time

/// Both layers, with channels in steps of a row of `stored` floats; the rest of a row is zero.
struct Gate {
  int64_t batch, channels, stored, hidden;
  Epilogue squeeze, excite;
};

VULTUS_SIMD float dot(const float* a, const float* b, int64_t n) {
  constexpr int64_t kLanes = 16;
  float lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t k = 0; k < kLanes; ++k)
      lanes[k] += a[i + k] * b[i + k];
  float sum = 0;
  for (; i < n; ++i)
    sum += a[i] * b[i];
  for (float lane : lanes)
    sum += lane;
  return sum;
}

/// out = bias + sum over h of hidden[h] * weights[h][...]
VULTUS_SIMD void combine(const float* hidden, int64_t count, const float* weights, int64_t stored,
                         const float* bias, int64_t width, float* out) {
  float sum[kPiece];
  for (int64_t c = 0; c < width; ++c)
    sum[c] = bias[c];
  for (int64_t h = 0; h < count; ++h)
    for (int64_t c = 0; c < width; ++c)
      sum[c] += hidden[h] * weights[h * stored + c];
  for (int64_t c = 0; c < width; ++c)
    out[c] = sum[c];
}

/// [rows, columns] of a constant with rows of `stored` floats, transposed or not; zero beyond.
Tensor padded(const Tensor* from, int64_t rows, int64_t columns, int64_t stored, bool transpose) {
  Tensor out(DType::f32, {rows, stored});
  auto to = out.as<float>();
  std::ranges::fill(to, 0.0f);
  if (!from) return out;
  auto w = from->as<float>();
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c)
      to[static_cast<size_t>(r * stored + c)] =
          w[static_cast<size_t>(transpose ? c * rows + r : r * columns + c)];
  return out;
}

void run(const Gate& g, const Arrangement& a, std::span<std::byte* const> at) {
  auto floats = [&](size_t i) { return reinterpret_cast<float*>(at[i]); };
  const float *x = floats(0), *w1 = floats(1), *b1 = floats(2), *w2 = floats(3), *b2 = floats(4);
  float *means = floats(5), *hidden = floats(6), *out = floats(7);
  const int64_t pieces = (g.stored + kPiece - 1) / kPiece;
#pragma omp parallel
  {
#pragma omp for
    for (int64_t i = 0; i < mean_pieces(a); ++i)
      mean_of_piece(x, a, i, means);
#pragma omp for
    for (int64_t i = 0; i < g.batch * g.hidden; ++i) {
      const int64_t n = i / g.hidden, h = i % g.hidden;
      hidden[i] = apply(g.squeeze, b1[h] + dot(w1 + h * g.stored, means + n * g.stored, g.stored));
    }
#pragma omp for
    for (int64_t i = 0; i < g.batch * pieces; ++i) {
      const int64_t n = i / pieces, first = i % pieces * kPiece;
      const int64_t width = std::min(kPiece, g.stored - first);
      float* to = out + n * g.stored + first;
      combine(hidden + n * g.hidden, g.hidden, w2 + first, g.stored, b2 + first, width, to);
      for (int64_t c = 0; c < width; ++c)
        to[c] = first + c < g.channels ? apply(g.excite, to[c]) : 0;
    }
  }
}

}  // namespace

Result<void> build_squeeze_excite(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  const Graph& graph = b.graph();
  for (size_t i : {size_t{1}, size_t{2}, size_t{3}, size_t{4}})
    if (node.input(i) != kNoValue && !graph.constant(node.input(i))) return b.add_plain(id);
  ValueId x = node.inputs[0], y = node.outputs[0];
  const Shape& shape = b.shape(x);
  Family family = family_of(b.layout(x));
  if (family == Family::other) family = Family::plain;
  const Arrangement a = arrangement_of(family, shape);
  const Gate g{.batch = shape[0],
               .channels = shape[1],
               .stored = a.groups * a.block,
               .hidden = b.shape(node.inputs[1])[0],
               .squeeze = squeeze_epilogue_of(node),
               .excite = epilogue_of(node)};
  auto weights = [&](size_t input, int64_t rows, int64_t columns, int64_t stored, bool transpose) {
    Desc desc = row_major({rows, stored});
    return b.constant(padded(graph.constant(node.input(input)), rows, columns, stored, transpose),
                      desc, desc);
  };
  auto scratch = [&](int64_t floats) {
    return b.scratch(floats * static_cast<int64_t>(sizeof(float)));
  };
  std::vector<Operand> operands{b.input(x, in_family(family, {shape.begin(), shape.end()})),
                                weights(1, g.hidden, g.channels, g.stored, false),
                                weights(2, 1, g.hidden, g.hidden, false),
                                weights(3, g.hidden, g.channels, g.stored, true),
                                weights(4, 1, g.channels, g.stored, false),
                                scratch(g.batch * g.stored),
                                scratch(g.batch * g.hidden),
                                b.output(y, in_family(family, b.plain_desc(y).dims()))};
  b.add(id, std::move(operands), [g, a](std::span<std::byte* const> at) -> Result<void> {
    run(g, a, at);
    return {};
  });
  return {};
}

}  // namespace vultus::cpu
