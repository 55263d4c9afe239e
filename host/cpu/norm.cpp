#include <cmath>

#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"

namespace vultus::cpu {
namespace {

/// Channel-wise scale and shift, clamped from below: relu where `least` is 0.
template <int Block>
[[gnu::always_inline]] inline void affine(const float* in, float* out, int64_t count,
                                          const float* scale, const float* shift, float least) {
  for (int64_t i = 0; i < count; ++i)
    for (int c = 0; c < Block; ++c) {
      float v = in[i * Block + c] * scale[c] + shift[c];
      out[i * Block + c] = v < least ? least : v;
    }
}

[[gnu::target_clones("avx512f", "avx2", "default")]] void affine_16(const float* in, float* out,
                                                                    int64_t count,
                                                                    const float* scale,
                                                                    const float* shift,
                                                                    float least) {
  affine<16>(in, out, count, scale, shift, least);
}

[[gnu::target_clones("avx512f", "avx2", "default")]] void affine_8(const float* in, float* out,
                                                                   int64_t count,
                                                                   const float* scale,
                                                                   const float* shift,
                                                                   float least) {
  affine<8>(in, out, count, scale, shift, least);
}

[[gnu::target_clones("avx512f", "avx2", "default")]] void affine_1(const float* in, float* out,
                                                                   int64_t count,
                                                                   const float* scale,
                                                                   const float* shift,
                                                                   float least) {
  affine<1>(in, out, count, scale, shift, least);
}

}  // namespace

Result<void> build_batch_norm(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  const Graph& graph = b.graph();
  const Tensor* numbers[4];
  for (size_t i = 0; i < 4; ++i)
    numbers[i] = graph.constant(node.input(i + 1));
  for (const Tensor* t : numbers)
    if (!t) return b.add_plain(id);
  ValueId x = node.inputs[0], y = node.outputs[0];
  const Shape& shape = b.shape(x);
  if (shape.rank() < 2 || node.outputs.size() > 1) return b.add_plain(id);

  Desc desc = b.layout(x);
  int block = channel_block(desc);
  if (block == 0) desc = b.plain_desc(x), block = 1;
  int64_t groups = (shape[1] + block - 1) / block;
  // Padding channels get scale and shift 0.
  Tensor scale(DType::f32, {groups * block}), shift(DType::f32, {groups * block});
  double epsilon = static_cast<double>(node.real("epsilon", 1e-5f));
  for (int64_t c = 0; c < shape[1]; ++c) {
    auto at = [&](size_t i) {
      return static_cast<double>(numbers[i]->as<float>()[static_cast<size_t>(c)]);
    };
    double s = at(0) / std::sqrt(at(3) + epsilon);
    scale.as<float>()[static_cast<size_t>(c)] = static_cast<float>(s);
    shift.as<float>()[static_cast<size_t>(c)] = static_cast<float>(at(1) - at(2) * s);
  }
  Desc vector = row_major({groups * block});
  Operand scales = b.constant(std::move(scale), vector, vector);
  Operand shifts = b.constant(std::move(shift), vector, vector);

  Epilogue epilogue = epilogue_of(node);
  bool relu = epilogue.kind == Activation::relu;
  float least = relu ? 0.0f : -INFINITY;
  int64_t points = shape.elements() / (shape[0] * shape[1]);
  int64_t runs = shape[0] * groups;
  auto kernel = block == 16 ? affine_16 : block == 8 ? affine_8 : affine_1;
  Operand source = b.input(x, desc);
  Operand target = b.may_overwrite(source, id) ? b.output_in(y, desc, source) : b.output(y, desc);
  b.add(id, {source, target, scales, shifts}, [=](std::span<std::byte* const> at) -> Result<void> {
    auto in = reinterpret_cast<const float*>(at[0]);
    auto out = reinterpret_cast<float*>(at[1]);
    auto s = reinterpret_cast<const float*>(at[2]);
    auto t = reinterpret_cast<const float*>(at[3]);
#pragma omp parallel for
    for (int64_t run = 0; run < runs; ++run) {
      int64_t channel = run % groups * block, start = run * points * block;
      kernel(in + start, out + start, points, s + channel, t + channel, least);
    }
    return {};
  });
  if (!relu) b.add_activation(id, epilogue, target, target);
  return {};
}

Result<void> build_softmax(Builder& b, NodeId id) {
  using Softmax = dnnl::softmax_forward;
  const Node& node = b.node(id);
  ValueId x = node.inputs[0], y = node.outputs[0];
  const Shape& shape = b.shape(x);
  int rank = shape.rank();
  if (rank == 0) return b.add_plain(id);
  bool flattens = node.opset < 13;
  int64_t axis = node.integer("axis", flattens ? 1 : -1);
  if (axis < 0) axis += rank;
  // As rows x classes x what follows; older opsets take everything from the axis on as classes.
  std::vector<int64_t> dims = {1, 1, 1};
  for (int i = 0; i < rank; ++i)
    dims[i < axis ? 0 : i == axis || flattens ? 1 : 2] *= shape[i];
  Desc desc = row_major(dims);
  Softmax::primitive_desc pd({dnnl::prop_kind::forward_inference, desc, 1}, attributes(),
                             b.engine(), true);
  if (!pd.get(true)) return b.add_plain(id);
  Operand source{b.plain(x).buffer, desc};
  Operand target{b.output(y, b.plain_desc(y)).buffer, desc};
  b.add(id, Softmax(pd), pd.scratchpad_desc(), {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, target}});
  return {};
}

}  // namespace vultus::cpu
