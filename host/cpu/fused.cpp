#include "host/cpu/fused.hpp"

#include <algorithm>
#include <cmath>

#include "host/cpu/simd.hpp"
#include "host/graph/fused.hpp"

namespace vultus::cpu {
namespace {

/// y += a, each element of a for `factor` neighbouring points of `block` channels.
VULTUS_SIMD void add_row(float* y, const float* a, int64_t points, int64_t factor, int64_t block) {
  if (block == 16) {
    for (int64_t p = 0; p < points / factor; ++p)
      for (int64_t r = 0; r < factor; ++r)
        for (int c = 0; c < 16; ++c)
          y[(p * factor + r) * 16 + c] += a[p * 16 + c];
  } else if (block == 1) {
    for (int64_t p = 0; p < points / factor; ++p)
      for (int64_t r = 0; r < factor; ++r)
        y[p * factor + r] += a[p];
  } else {
    for (int64_t p = 0; p < points / factor; ++p)
      for (int64_t r = 0; r < factor; ++r)
        for (int64_t c = 0; c < block; ++c)
          y[(p * factor + r) * block + c] += a[p * block + c];
  }
}

/// z = max(y * scale + shift, least) on points of `block` channels.
VULTUS_SIMD void affine_row(const float* y, float* z, int64_t points, int64_t block,
                            const float* scale, const float* shift, float least) {
  if (block == 16) {
    for (int64_t p = 0; p < points; ++p)
      for (int c = 0; c < 16; ++c)
        z[p * 16 + c] = std::max(y[p * 16 + c] * scale[c] + shift[c], least);
  } else if (block == 1) {
    for (int64_t p = 0; p < points; ++p)
      z[p] = std::max(y[p] * *scale + *shift, least);
  } else {
    for (int64_t p = 0; p < points; ++p)
      for (int64_t c = 0; c < block; ++c)
        z[p * block + c] = std::max(y[p * block + c] * scale[c] + shift[c], least);
  }
}

/// The numbers of every channel, then zeros up to whole blocks.
Operand per_channel(Builder& b, const std::vector<float>& numbers, const Arrangement& a) {
  Tensor padded(DType::f32, {a.groups * a.block});
  std::copy(numbers.begin(), numbers.end(), padded.as<float>().begin());
  Desc desc = row_major({a.groups * a.block});
  return b.constant(std::move(padded), desc, desc);
}

std::vector<int64_t> dims_of(const Shape& shape) {
  return {shape.begin(), shape.end()};
}

/// Where the sum and its second output lie in memory, and what is done to them.
struct Rows {
  Arrangement a;
  int64_t height, width;
  AddendFit fit;
  bool adds, affine;
  float least;

  void run(float* y, const float* addend, float* z, const float* scale, const float* shift) const {
    const int64_t small_h = height / fit.factor_h, small_w = width / fit.factor_w;
#pragma omp parallel for
    for (int64_t i = 0; i < a.batch * a.groups * height; ++i) {
      const int64_t map = i / height, row = i % height, group = map % a.groups;
      float* at = y + i * width * a.block;
      if (adds) {
        const int64_t from = (fit.shared ? group : map) * small_h + row / fit.factor_h;
        add_row(at, addend + from * small_w * a.block, width, fit.factor_w, a.block);
      }
      if (affine)
        affine_row(at, z + i * width * a.block, width, a.block, scale + group * a.block,
                   shift + group * a.block, least);
    }
  }
};

}  // namespace

void add_fused(Builder& b, NodeId id, Operand y, ValueId addend, bool second) {
  const Node& node = b.node(id);
  const bool adds = addend != kNoValue;
  if (!adds && !second) return;
  const Shape& shape = b.shape(node.outputs[0]);
  SecondOutput affine;
  if (second) affine = second_output_of(node);
  Family family = family_of(y.desc);
  const bool padding_would_change = second && is_padded(y.desc) && !keeps_zero(affine.epilogue);
  if (family == Family::other || padding_would_change) {
    family = Family::plain;
    Operand plain = b.reordered(y, b.plain_desc(node.outputs[0]));
    y = b.output_in(node.outputs[0], plain.desc, plain);
  }
  const Desc desc = in_family(family, dims_of(shape));
  const bool relu = affine.epilogue.kind == Activation::relu;
  Rows rows{.a = arrangement_of(family, shape),
            .height = shape[2],
            .width = shape[3],
            .fit = {},
            .adds = adds,
            .affine = second,
            .least = relu ? 0.0f : -INFINITY};
  std::vector<Operand> operands{y};
  if (adds) {
    rows.fit = fit_addend(b.shape(addend), shape).value();
    operands.push_back(b.input(addend, in_family(family, dims_of(b.shape(addend)))));
  }
  Operand z;
  if (second) {
    z = b.output_over(id, node.outputs[1], desc, y);
    operands.insert(operands.end(), {z, per_channel(b, affine.scale, rows.a),
                                     per_channel(b, affine.shift, rows.a)});
  }
  b.add(id, operands, [rows](std::span<std::byte* const> at) -> Result<void> {
    auto floats = [&](size_t i) { return reinterpret_cast<float*>(at[i]); };
    const size_t next = rows.adds ? 2 : 1;
    rows.run(floats(0), rows.adds ? floats(1) : nullptr, rows.affine ? floats(next) : nullptr,
             rows.affine ? floats(next + 1) : nullptr, rows.affine ? floats(next + 2) : nullptr);
    return {};
  });
  if (second && !relu) b.add_activation(id, affine.epilogue, z, z);
}

}  // namespace vultus::cpu
