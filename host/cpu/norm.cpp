#include <algorithm>
#include <cmath>

#include "host/cpu/builder.hpp"
#include "host/cpu/kernels.hpp"
#include "host/cpu/simd.hpp"

namespace vultus::cpu {
namespace {

/// y = max(x * scale + shift, least) on points of `block` channels.
VULTUS_SIMD void affine(const float* in, float* out, int64_t points, int64_t block,
                        const float* scale, const float* shift, float least) {
  if (block == 16) {
    for (int64_t i = 0; i < points; ++i)
      for (int c = 0; c < 16; ++c)
        out[i * 16 + c] = std::max(in[i * 16 + c] * scale[c] + shift[c], least);
  } else if (block == 1) {
    for (int64_t i = 0; i < points; ++i)
      out[i] = std::max(in[i] * *scale + *shift, least);
  } else {
    for (int64_t i = 0; i < points; ++i)
      for (int64_t c = 0; c < block; ++c)
        out[i * block + c] = std::max(in[i * block + c] * scale[c] + shift[c], least);
  }
}

/// Adds sums and sums of squares of `block` channels about `centre`.
VULTUS_SIMD void moments(const float* in, int64_t points, int64_t block, const float* centre,
                         float* sums, float* squares) {
  if (block == 1) {
    float sum = 0, square = 0;
    for (int64_t i = 0; i < points; ++i) {
      float v = in[i] - *centre;
      sum += v;
      square += v * v;
    }
    *sums += sum;
    *squares += square;
    return;
  }
  for (int64_t i = 0; i < points; ++i)
    for (int64_t c = 0; c < block; ++c) {
      float v = in[i * block + c] - centre[c];
      sums[c] += v;
      squares[c] += v * v;
    }
}

/// (a, b) becomes (a - b, b - a).
VULTUS_SIMD void differences(const float* in, float* out, int64_t pairs) {
  for (int64_t i = 0; i < pairs; ++i) {
    float d = in[2 * i] - in[2 * i + 1];
    out[2 * i] = d;
    out[2 * i + 1] = -d;
  }
}

/// Points that one task handles.
constexpr int64_t kChunk = 256;

struct Affine {
  Arrangement a;
  float least;

  /// Runs over chunks of points; scale and shift hold groups * block numbers, `per_sample` for
  /// every sample anew.
  void run(const float* in, float* out, const float* scale, const float* shift,
           bool per_sample) const {
    int64_t chunks = (a.points + kChunk - 1) / kChunk;
#pragma omp parallel for
    for (int64_t i = 0; i < a.batch * a.groups * chunks; ++i) {
      int64_t group = i / chunks, first = i % chunks * kChunk;
      int64_t start = (group * a.points + first) * a.block;
      int64_t channel = (per_sample ? group : group % a.groups) * a.block;
      affine(in + start, out + start, std::min(kChunk, a.points - first), a.block, scale + channel,
             shift + channel, least);
    }
  }
};

/// Where a normalisation works: in the layout its input has.
struct Place {
  Desc desc;
  Arrangement a;
};

Place place_of(const Builder& b, ValueId x) {
  Family family = family_of(b.layout(x));
  if (family == Family::other) family = Family::plain;
  const Shape& shape = b.shape(x);
  return {in_family(family, {shape.begin(), shape.end()}), arrangement_of(family, shape)};
}

/// Constant numbers of every channel, then zeros up to whole blocks.
Operand per_channel(Builder& b, const std::vector<float>& numbers, const Arrangement& a) {
  Tensor padded(DType::f32, {a.groups * a.block});
  std::copy(numbers.begin(), numbers.end(), padded.as<float>().begin());
  Desc desc = row_major({a.groups * a.block});
  return b.constant(std::move(padded), desc, desc);
}

}  // namespace

Result<void> build_batch_norm(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  const Tensor* numbers[4];
  for (size_t i = 0; i < 4; ++i)
    numbers[i] = b.graph().constant(node.input(i + 1));
  ValueId x = node.inputs[0], y = node.outputs[0];
  bool constant = std::ranges::all_of(numbers, [](const Tensor* t) { return t != nullptr; });
  if (!constant || b.shape(x).rank() < 3 || node.outputs.size() > 1) return b.add_plain(id);

  double epsilon = static_cast<double>(node.real("epsilon", 1e-5f));
  size_t channels = static_cast<size_t>(b.shape(x)[1]);
  std::vector<float> scale(channels), shift(channels);
  for (size_t c = 0; c < channels; ++c) {
    auto at = [&](size_t i) { return static_cast<double>(numbers[i]->as<float>()[c]); };
    double s = at(0) / std::sqrt(at(3) + epsilon);
    scale[c] = static_cast<float>(s);
    shift[c] = static_cast<float>(at(1) - at(2) * s);
  }
  Epilogue epilogue = epilogue_of(node);
  bool relu = epilogue.kind == Activation::relu;
  Place place = place_of(b, x);
  if (is_padded(place.desc) && !keeps_zero(epilogue))
    place = {b.plain_desc(x), arrangement_of(Family::plain, b.shape(x))};
  Affine kernel{place.a, relu ? 0.0f : -INFINITY};
  Operand source = b.input(x, place.desc);
  Operand target = b.output_over(id, y, place.desc, source);
  b.add(id, {source, target, per_channel(b, scale, place.a), per_channel(b, shift, place.a)},
        [=](std::span<std::byte* const> at) -> Result<void> {
          kernel.run(reinterpret_cast<const float*>(at[0]), reinterpret_cast<float*>(at[1]),
                     reinterpret_cast<const float*>(at[2]), reinterpret_cast<const float*>(at[3]),
                     false);
          return {};
        });
  if (!relu) b.add_activation(id, epilogue, target, target);
  return {};
}

Result<void> build_instance_norm(Builder& b, NodeId id) {
  const Node& node = b.node(id);
  const Tensor* scale = b.graph().constant(node.inputs[1]);
  const Tensor* shift = b.graph().constant(node.inputs[2]);
  ValueId x = node.inputs[0], y = node.outputs[0];
  if (!scale || !shift || b.shape(x).rank() < 3) return b.add_plain(id);
  Place place = place_of(b, x);
  const Arrangement a = place.a;
  double epsilon = static_cast<double>(node.real("epsilon", 1e-5f));
  auto numbers = [](const Tensor& t) {
    return std::vector<float>(t.as<float>().begin(), t.as<float>().end());
  };
  Affine kernel{a, epilogue_of(node).kind == Activation::relu ? 0.0f : -INFINITY};
  int64_t vector = a.batch * a.groups * a.block;
  Operand source = b.input(x, place.desc);
  Operand work = b.scratch(vector * 2 * static_cast<int64_t>(sizeof(float)));
  Operand target = b.output_over(id, y, place.desc, source);
  b.add(id,
        {source, target, per_channel(b, numbers(*scale), a), per_channel(b, numbers(*shift), a),
         work},
        [=](std::span<std::byte* const> at) -> Result<void> {
          auto in = reinterpret_cast<const float*>(at[0]);
          auto gain = reinterpret_cast<const float*>(at[2]);
          auto bias = reinterpret_cast<const float*>(at[3]);
          auto factor = reinterpret_cast<float*>(at[4]), offset = factor + vector;
          // Pieces of at most 64 channels, so that their sums stay in registers or close.
          int64_t piece = std::min<int64_t>(a.block, 64), pieces = (a.block + piece - 1) / piece;
#pragma omp parallel for
          for (int64_t i = 0; i < a.batch * a.groups * pieces; ++i) {
            int64_t group = i / pieces, first = i % pieces * piece;
            int64_t count = std::min(piece, a.block - first);
            const float* start = in + group * a.points * a.block + first;
            double sum[64] = {}, square[64] = {};
            float centre[64];
            std::copy(start, start + count, centre);  // about the first point: no cancellation
            for (int64_t p = 0; p < a.points; p += 64) {
              float sums[64] = {}, squares[64] = {};
              int64_t end = std::min<int64_t>(p + 64, a.points);
              if (count == a.block) {
                moments(start + p * a.block, end - p, a.block, centre, sums, squares);
              } else {
                for (int64_t q = p; q < end; ++q)
                  moments(start + q * a.block, 1, count, centre, sums, squares);
              }
              for (int64_t c = 0; c < count; ++c) {
                sum[c] += static_cast<double>(sums[c]);
                square[c] += static_cast<double>(squares[c]);
              }
            }
            for (int64_t c = 0; c < count; ++c) {
              double n = static_cast<double>(a.points), off = sum[c] / n;
              double variance = std::max(square[c] / n - off * off, 0.0);
              int64_t channel = group % a.groups * a.block + first + c;
              double s = static_cast<double>(gain[channel]) / std::sqrt(variance + epsilon);
              double mean = static_cast<double>(centre[c]) + off;
              int64_t place_of_numbers = group * a.block + first + c;
              factor[place_of_numbers] = static_cast<float>(s);
              offset[place_of_numbers] =
                  static_cast<float>(static_cast<double>(bias[channel]) - mean * s);
            }
          }
          kernel.run(in, reinterpret_cast<float*>(at[1]), factor, offset, true);
          return {};
        });
  return {};
}

namespace {

/// Softmax of two classes is the sigmoid of their difference: no horizontal work for rows of two.
Result<void> softmax_of_two(Builder& b, NodeId id, int64_t rows) {
  const Node& node = b.node(id);
  ValueId y = node.outputs[0];
  Operand source = b.plain(node.inputs[0]);
  Operand target = b.output_over(id, y, b.plain_desc(y), source);
  b.add(id, {source, target}, [=](std::span<std::byte* const> at) -> Result<void> {
    differences(reinterpret_cast<const float*>(at[0]), reinterpret_cast<float*>(at[1]), rows);
    return {};
  });
  b.add_activation(id, {.kind = Activation::sigmoid}, target, target);
  return {};
}

}  // namespace

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
  if (dims[1] == 2 && dims[2] == 1) return softmax_of_two(b, id, dims[0]);
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
