#include "host/ops/resize.hpp"

#include <fmt/format.h>

#include <cstring>

#include "host/core/parallel.hpp"
#include "host/cpu/kernels.hpp"
#include "host/ops/op.hpp"

namespace vultus {
namespace {

// Which inputs hold scales and sizes: Upsample 9 and Resize 10 have X, scales; later X, roi,
// scales, sizes.
struct Slots {
  size_t scales, sizes;
};

Slots slots(const Node& node) {
  return node.op == "Upsample" || node.opset < 11 ? Slots{1, 4} : Slots{2, 3};
}

Result<void> infer(Infer& node) {
  const Slots s = slots(node.node());
  VULTUS_CHECK(node.expect_inputs(s.scales == 1 ? 2 : 1, s.scales == 1 ? 2 : 4));
  VULTUS_CHECK(node.expect_type(0, {DType::f32}));
  VULTUS_CHECK(resize_mode(node.node()));
  std::vector<float> scales;
  std::vector<int64_t> sizes;
  // Opset 11 marks an absent input by one without elements.
  if (node.has(s.scales) && node.shape(s.scales).elements() > 0) {
    const Tensor* t = node.constant(s.scales);
    if (!t || t->dtype() != DType::f32)
      return node.fail(
          "scales must be constant float32 (bind symbolic sizes with --shape when they are "
          "computed)");
    scales.assign(t->as<float>().begin(), t->as<float>().end());
  }
  if (node.has(s.sizes) && node.shape(s.sizes).elements() > 0) {
    VULTUS_TRY(sizes, node.integers(s.sizes, "sizes"));
  }
  if (scales.empty() == sizes.empty()) return node.fail("needs scales or sizes, one of them");
  VULTUS_TRY(ResizeSizes r, resize_sizes(node.node(), node.shape(0), scales, sizes));
  return node.set(0, DType::f32, r.out);
}

// Resizes one axis: [outer, in, inner] -> [outer, out, inner].
struct AxisPass {
  int64_t outer, in, inner;
  ResizeTaps taps;

  int64_t out() const { return static_cast<int64_t>(taps.index.size()) / taps.count; }
};

void resize_axis(const float* x, float* out, const AxisPass& pass) {
  const auto& [outer, in, inner, taps] = pass;
  const int64_t size = pass.out();
  parallel_for(outer * size, inner * taps.count, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const float* from = x + row / size * in * inner;
      float* to = out + row * inner;
      const auto first = static_cast<size_t>(row % size * taps.count);
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
  const Slots s = slots(node.node);
  VULTUS_TRY(ResizeMode mode, resize_mode(node.node));
  std::vector<float> scales;
  if (node.has(s.scales)) {
    auto values = node.in[s.scales].as<const float>();
    scales.assign(values.begin(), values.end());
  }
  Shape shape = node.in[0].shape;
  VULTUS_TRY(ResizeSizes r, resize_sizes(node.node, shape, scales, node.integers(s.sizes)));
  std::vector<AxisPass> passes;
  Prepared prepared;
  for (int d = 0; d < shape.rank(); ++d) {
    const float scale = r.scales[static_cast<size_t>(d)];
    if (r.out[d] == shape[d] && scale == 1) continue;
    int64_t outer = 1, inner = 1;
    for (int k = 0; k < shape.rank(); ++k)
      (k < d ? outer : inner) *= k == d ? 1 : shape[k];
    passes.push_back({outer, shape[d], inner, resize_taps(mode, shape[d], r.out[d], scale)});
    shape[d] = r.out[d];
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
                        .limits = "float32; no tf_crop_and_resize, antialias or aspect policy"});
const Register upsample({.name = "Upsample",
                         .since = 9,
                         .until = 9,
                         .infer = infer,
                         .prepare = prepare,
                         .limits = "float32"});

}  // namespace
}  // namespace vultus
