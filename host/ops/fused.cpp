#include "host/ops/fused.hpp"

#include <fmt/format.h>

#include "host/core/parallel.hpp"

namespace vultus {

Result<void> infer_second_output(Infer& node) {
  if (!has_second_output(node.node())) return {};
  const Shape shape = node.output_shape(0);
  SecondOutput second = second_output_of(node.node());
  for (const auto* numbers : {&second.scale, &second.shift})
    if (shape.rank() < 2 || static_cast<int64_t>(numbers->size()) != shape[1])
      return node.fail(fmt::format("{} numbers for the channels of the second output {}",
                                   numbers->size(), shape.str()));
  return node.set(1, DType::f32, shape);
}

std::optional<SecondOutput> find_second_output(const Node& node) {
  if (!has_second_output(node)) return std::nullopt;
  return second_output_of(node);
}

void write_second_output(Eval& node, const std::optional<SecondOutput>& second) {
  if (!second) return;
  const TensorView& out = node.out[0];
  const int64_t channels = out.shape[1];
  const int64_t inner = out.shape.elements() / (out.shape[0] * channels);
  const float* y = out.as<float>().data();
  float* z = node.out[1].as<float>().data();
  parallel_for(out.shape[0] * channels, inner * 2, [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      const auto c = static_cast<size_t>(plane % channels);
      for (int64_t i = plane * inner; i < (plane + 1) * inner; ++i)
        z[i] = apply(second->epilogue, second->scale[c] * y[i] + second->shift[c]);
    }
  });
}

void add_repeated(const TensorView& addend, const TensorView& out) {
  const AddendFit fit = fit_addend(addend.shape, out.shape).value();
  const int64_t height = out.shape[2], width = out.shape[3], small = addend.shape[3];
  const float* a = addend.as<const float>().data();
  float* y = out.as<float>().data();
  parallel_for(out.shape[0] * out.shape[1] * height, width, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t plane =
          row / height % (fit.shared ? out.shape[1] : out.shape[0] * out.shape[1]);
      const float* from = a + (plane * addend.shape[2] + row % height / fit.factor_h) * small;
      for (int64_t x = 0; x < width; ++x)
        y[row * width + x] += from[x / fit.factor_w];
    }
  });
}

}  // namespace vultus
