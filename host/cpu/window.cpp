#include "host/cpu/window.hpp"

#include <algorithm>

#include "host/ops/window.hpp"

namespace vultus::cpu {

namespace {

Window sizes(const Node& node, const dnnl::memory::dims& kernel) {
  Window w;
  std::vector<int64_t> ones(kernel.size(), 1);
  w.kernel = kernel;
  w.strides = node.integers("strides", ones);
  w.dilations = node.integers("dilations", ones);
  for (int64_t& d : w.dilations)
    d -= 1;
  w.begin = w.end = dnnl::memory::dims(kernel.size(), 0);
  return w;
}

// `total` is the padding of both ends when the file leaves its place to us.
int64_t pad_begin(const Node& node, size_t axis, int64_t total) {
  std::string mode = node.text("auto_pad", "NOTSET");
  total = std::max<int64_t>(total, 0);
  if (mode == "SAME_UPPER") return total / 2;
  if (mode == "SAME_LOWER") return total - total / 2;
  if (mode == "VALID") return 0;
  std::vector<int64_t> pads = node.integers("pads");
  return axis < pads.size() ? pads[axis] : 0;
}

}  // namespace

Window window_of(const Node& node, const dnnl::memory::dims& kernel, const Shape& in,
                 const Shape& out) {
  Window w = sizes(node, kernel);
  for (size_t i = 0; i < kernel.size(); ++i) {
    int axis = static_cast<int>(i) + 2;
    int64_t extent = (kernel[i] - 1) * (w.dilations[i] + 1) + 1;
    int64_t total = (out[axis] - 1) * w.strides[i] + extent - in[axis];
    w.begin[i] = pad_begin(node, i, total);
    // Negative when no window reads the last points.
    w.end[i] = std::max<int64_t>(total - w.begin[i], 0);
  }
  return w;
}

Window transposed_window_of(const Node& node, const Shape& in, const Shape& weights) {
  // Shape inference has accepted the node.
  const vultus::Window resolved = resolve_transposed_window(node, in, weights).value();
  Window w = sizes(node, {weights[2], weights[3]});
  for (size_t i = 0; i < 2; ++i) {
    const int64_t full =
        (in[static_cast<int>(i) + 2] - 1) * resolved.stride[i] + resolved.extent(i);
    w.begin[i] = resolved.pad_begin[i];
    w.end[i] = full - resolved.out[i] - w.begin[i];
  }
  return w;
}

}  // namespace vultus::cpu
