#include "host/ops/resize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "host/core/parallel.hpp"
#include "host/cpu/kernels.hpp"
#include "host/ops/op.hpp"

namespace vultus {
namespace {

Result<void> infer(Infer& node) {
  const bool old = node.node().op == "Upsample" || node.node().opset < 11;
  VULTUS_CHECK(node.expect_inputs(old ? 2 : 1, old ? 2 : 4));
  VULTUS_CHECK(node.expect_type(0, {DType::f32}));
  VULTUS_TRY(ResizeMode mode, resize_mode(node.node()));
  for (size_t i = 1; i < node.inputs(); ++i) {
    const bool unused = !old && i == 1 && mode.coordinates != "tf_crop_and_resize";
    if (node.has(i) && !unused && !node.constant(i))
      return node.fail(
          fmt::format("input {} is computed at run time; only constants are supported "
                      "here (bind symbolic sizes with --shape)",
                      i));
  }
  VULTUS_TRY(ResizeInputs inputs, resize_inputs(node.node(), [&](size_t i) {
               const Tensor* constant = node.constant(i);
               return constant ? constant->view() : TensorView{};
             }));
  if (inputs.scales.empty() == inputs.sizes.empty())
    return node.fail("needs scales or sizes, one of them");
  VULTUS_TRY(auto axes, resize_axes(node.node(), node.shape(0), inputs));
  return node.set(0, DType::f32, resized_shape(axes));
}

// Resizes one axis: [outer, in, inner] -> [outer, out, inner].
struct AxisPass {
  int64_t outer, in, inner;
  ResizeTaps taps;
  float extrapolation;

  int64_t out() const { return static_cast<int64_t>(taps.index.size()) / taps.count; }
};

void resize_axis(const float* x, float* out, const AxisPass& pass) {
  const auto& [outer, in, inner, taps, extrapolation] = pass;
  const int64_t size = pass.out();
  parallel_for(outer * size, inner * taps.count, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* from = x + row / size * in * inner;
      float* to = out + row * inner;
      const auto first = static_cast<size_t>(row % size * taps.count);
      if (taps.index[first] < 0) {
        std::fill_n(to, inner, extrapolation);
        continue;
      }
      if (taps.count == 1) {
        std::memcpy(to, from + taps.index[first] * inner,
                    static_cast<size_t>(inner) * sizeof(float));
        continue;
      }
      for (int64_t i = 0; i < inner; ++i) {
        double sum = 0;
        for (size_t t = first; t < first + static_cast<size_t>(taps.count); ++t)
          sum += static_cast<double>(taps.weight[t]) *
                 static_cast<double>(from[taps.index[t] * inner + i]);
        to[i] = static_cast<float>(sum);
      }
    }
  });
}

// One axis after the other; what lies in between in the scratch memory.
void resize(const Eval& node, const std::vector<AxisPass>& passes) {
  const float* from = node.in[0].as<const float>().data();
  float* out = node.out[0].as<float>().data();
  if (passes.empty()) std::memcpy(out, from, node.out[0].size_bytes());
  auto* next = reinterpret_cast<float*>(node.scratch);
  for (const AxisPass& pass : passes) {
    float* to = &pass == &passes.back() ? out : next;
    resize_axis(from, to, pass);
    from = to;
    next += pass.outer * pass.out() * pass.inner;
  }
}

Result<Prepared> prepare(const Eval& node) {
  VULTUS_TRY(ResizeMode mode, resize_mode(node.node));
  VULTUS_TRY(ResizeInputs inputs, resize_inputs(node.node, [&](size_t i) {
               return node.has(i) ? node.in[i] : TensorView{};
             }));
  Shape shape = node.in[0].shape;
  VULTUS_TRY(auto axes, resize_axes(node.node, shape, inputs));
  std::vector<AxisPass> passes;
  Prepared prepared;
  for (int d = 0; d < shape.rank(); ++d) {
    const ResizeAxis& axis = axes[static_cast<size_t>(d)];
    if (axis.is_identity()) continue;
    int64_t outer = 1, inner = 1;
    for (int k = 0; k < shape.rank(); ++k)
      (k < d ? outer : inner) *= k == d ? 1 : shape[k];
    passes.push_back({outer, axis.in, inner, resize_taps(mode, axis), mode.extrapolation});
    shape[d] = axis.out;
    prepared.scratch_bytes += shape.elements() * int64_t{sizeof(float)};
  }
  prepared.kernel = [passes = std::move(passes)](Eval& run) -> Result<void> {
    resize(run, passes);
    return {};
  };
  return prepared;
}

const Register resize_({.name = "Resize",
                        .since = 10,
                        .infer = infer,
                        .prepare = prepare,
                        .build = cpu::build_resize,
                        .limits = "float32"});
const Register upsample({.name = "Upsample",
                         .since = 9,
                         .until = 9,
                         .infer = infer,
                         .prepare = prepare,
                         .limits = "float32"});

}  // namespace
}  // namespace vultus
