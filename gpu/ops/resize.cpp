#include "host/ops/resize.hpp"

#include <fmt/format.h>

#include "gpu/ops/image.hpp"
#include "gpu/ops/strided.hpp"

namespace vultus::gpu {
namespace {

struct Push {
  uint32_t in_h, in_w, out_h, out_w, groups, threads;
};
struct TapsPush {
  uint32_t in_h, in_w, out_h, out_w, channels, taps_h, taps_w, threads;
  float fill;
};

Support supports(const Graph& graph, const Node& node, const Caps&) {
  if (Support s = image_operands(graph, node); !s.ok) return s;
  const Shape &in = graph.shape(node.inputs[0]), &out = graph.shape(node.outputs[0]);
  if (in[0] != out[0] || in[1] != out[1])
    return Support::no(fmt::format("{}: from {} to {} (the GPU kernel resizes H and W only)",
                                   node.op, in.str(), out.str()));
  return Support::yes();
}

/// What every output row, then every output column reads.
struct Lines {
  std::vector<int32_t> lines;
  std::vector<float> weights;
};

/// Two lines each and the weight of the second.
Lines pairs(const ResizeTaps& rows, const ResizeTaps& columns) {
  Lines all;
  for (const ResizeTaps* taps : {&rows, &columns}) {
    const auto count = static_cast<size_t>(taps->count);
    for (size_t first = 0; first < taps->index.size(); first += count) {
      const size_t last = first + count - 1;
      all.lines.push_back(static_cast<int32_t>(taps->index[first]));
      all.lines.push_back(static_cast<int32_t>(taps->index[last]));
      all.weights.push_back(taps->weight[last]);
    }
  }
  return all;
}

Lines every(const ResizeTaps& rows, const ResizeTaps& columns) {
  Lines all;
  for (const ResizeTaps* taps : {&rows, &columns}) {
    for (int64_t i : taps->index)
      all.lines.push_back(static_cast<int32_t>(i));
    all.weights.insert(all.weights.end(), taps->weight.begin(), taps->weight.end());
  }
  return all;
}

void build(Builder& b, const Node& node) {
  TensorRef in = b.input(node.inputs[0], Layout::nhwc8);
  TensorRef out = b.output(node.outputs[0], Layout::nhwc8);
  // Shape inference has accepted the node.
  const ResizeMode mode = resize_mode(node).value();
  const auto axes = resize_axes(node, in.shape, resize_inputs(b.graph(), node).value()).value();
  const ResizeTaps rows = resize_taps(mode, axes[2]), columns = resize_taps(mode, axes[3]);
  const uint32_t threads = out.n() * out.h() * out.w() * out.groups();
  auto bind = [&](const Lines& l) {
    return std::vector<Binding>{reads(in),
                                {b.integers(l.lines), Access::read},
                                {b.floats(l.weights), Access::read},
                                writes(out)};
  };
  if (rows.count <= 2 && columns.count <= 2 && mode.coordinates != "tf_crop_and_resize")
    return b.dispatch("resize", {mode.mode == "linear" ? 1u : 0u},
                      Push{in.h(), in.w(), out.h(), out.w(), in.groups(), threads},
                      bind(pairs(rows, columns)), fold(threads));
  b.dispatch("resize_taps", {},
             TapsPush{in.h(), in.w(), out.h(), out.w(), in.c(), static_cast<uint32_t>(rows.count),
                      static_cast<uint32_t>(columns.count), threads, mode.extrapolation},
             bind(every(rows, columns)), fold(threads));
}

const RegisterGpu resize({"Resize", supports, build});
const RegisterGpu upsample({"Upsample", supports, build});

}  // namespace
}  // namespace vultus::gpu
