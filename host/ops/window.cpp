#include "host/ops/window.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/ops/op.hpp"

namespace vultus {

namespace {

constexpr int64_t kLargest = int64_t{1} << 20;

Result<std::array<int64_t, 2>> pair(const Node& node, std::string_view key, int64_t fallback,
                                    int64_t least) {
  const auto list = node.integers(key, {fallback, fallback});
  if (list.size() != 2)
    return fail(node, fmt::format("{} has {} entries, expected 2 (only 2-D is supported)", key,
                                  list.size()));
  for (int64_t v : list)
    if (v < least || v > kLargest)
      return fail(node, fmt::format("{} of {} is out of range", key, v));
  return std::array{list[0], list[1]};
}

Result<Window> common(const Node& node, const Shape& x, std::array<int64_t, 2> kernel) {
  if (x.rank() != 4)
    return fail(node, fmt::format("input {} has rank {}; only 2-D (rank 4) is supported", x.str(),
                                  x.rank()));
  Window w;
  w.kernel = kernel;
  for (int64_t k : kernel)
    if (k < 1 || k > kLargest) return fail(node, fmt::format("kernel size {} is out of range", k));
  VULTUS_TRY(w.stride, pair(node, "strides", 1, 1));
  VULTUS_TRY(w.dilation, pair(node, "dilations", 1, 1));
  const auto pads = node.integers("pads", {0, 0, 0, 0});
  if (pads.size() != 4) return fail(node, fmt::format("{} pads, expected 4", pads.size()));
  for (int64_t p : pads)
    if (p < 0 || p > kLargest) return fail(node, fmt::format("pad of {} is out of range", p));
  const std::string mode = node.text("auto_pad", "NOTSET");
  if (mode != "NOTSET" && mode != "VALID" && mode != "SAME_UPPER" && mode != "SAME_LOWER")
    return fail(node, fmt::format("auto_pad '{}' is unknown", mode));
  if (mode == "NOTSET") {
    w.pad_begin = {pads[0], pads[1]};
    w.pad_end = {pads[2], pads[3]};
  }
  return w;
}

// SAME keeps ceil(size / stride) windows and centres them; the odd row or column goes to the end
// (UPPER) or the beginning.
Result<Window> slide(const Node& node, const Shape& x, Window w) {
  const std::string mode = node.text("auto_pad", "NOTSET");
  const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  const bool ceil = node.integer("ceil_mode", 0) != 0;
  for (size_t i = 0; i < 2; ++i) {
    const int64_t size = x[static_cast<int>(i) + 2];
    if (same) {
      w.out[i] = (size + w.stride[i] - 1) / w.stride[i];
      const int64_t total = std::max<int64_t>(0, (w.out[i] - 1) * w.stride[i] + w.extent(i) - size);
      w.pad_begin[i] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      w.pad_end[i] = total - w.pad_begin[i];
      continue;
    }
    const int64_t room = size + w.pad_begin[i] + w.pad_end[i] - w.extent(i);
    if (room < 0)
      return fail(node, fmt::format("a kernel that spans {} does not fit axis {} of size {} with "
                                    "pads {} and {}",
                                    w.extent(i), i + 2, size, w.pad_begin[i], w.pad_end[i]));
    w.out[i] = (ceil ? room + w.stride[i] - 1 : room) / w.stride[i] + 1;
    // A window that begins in the padding at the end has nothing to look at.
    if (ceil && (w.out[i] - 1) * w.stride[i] >= size + w.pad_begin[i]) --w.out[i];
  }
  return w;
}

}  // namespace

Result<Window> resolve_window(const Node& node, const Shape& x, const Shape& weights) {
  if (weights.rank() != 4)
    return fail(node, fmt::format("weights {} have rank {}; only 2-D (rank 4) is supported",
                                  weights.str(), weights.rank()));
  VULTUS_TRY(Window w, common(node, x, {weights[2], weights[3]}));
  return slide(node, x, w);
}

Result<Window> resolve_window(const Node& node, const Shape& x) {
  if (!node.has("kernel_shape")) return fail(node, "attribute kernel_shape is missing");
  VULTUS_TRY(auto kernel, pair(node, "kernel_shape", 1, 1));
  VULTUS_TRY(Window w, common(node, x, kernel));
  for (size_t i = 0; i < 2; ++i)
    if (w.pad_begin[i] >= w.extent(i) || w.pad_end[i] >= w.extent(i))
      return fail(node, fmt::format("pads {} and {} are not smaller than the kernel ({})",
                                    w.pad_begin[i], w.pad_end[i], w.extent(i)));
  return slide(node, x, w);
}

Result<Window> resolve_transposed_window(const Node& node, const Shape& x, const Shape& weights) {
  if (weights.rank() != 4)
    return fail(node, fmt::format("weights {} have rank {}; only 2-D (rank 4) is supported",
                                  weights.str(), weights.rank()));
  VULTUS_TRY(Window w, common(node, x, {weights[2], weights[3]}));
  VULTUS_TRY(auto extra, pair(node, "output_padding", 0, 0));
  const std::string mode = node.text("auto_pad", "NOTSET");
  const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  auto wanted = node.integers("output_shape");
  if (wanted.size() == 4) wanted.erase(wanted.begin(), wanted.begin() + 2);
  if (!wanted.empty() && wanted.size() != 2)
    return fail(node, fmt::format("output_shape has {} entries, expected 2", wanted.size()));
  for (size_t i = 0; i < 2; ++i) {
    if (extra[i] >= std::max(w.stride[i], w.dilation[i]))
      return fail(node, fmt::format("output_padding {} is not smaller than stride {} or dilation "
                                    "{}",
                                    extra[i], w.stride[i], w.dilation[i]));
    const int64_t size = x[static_cast<int>(i) + 2];
    if (size > kMaxTensorBytes) return fail(node, fmt::format("input {} is too large", x.str()));
    const int64_t full = w.stride[i] * (size - 1) + extra[i] + w.extent(i);
    if (same || !wanted.empty()) {
      w.out[i] = wanted.empty() ? size * w.stride[i] : wanted[i];
      int64_t total = full - w.out[i];
      // Rows beyond the last tap stay empty: SAME without a stride's worth of kernel, or an output
      // padding that the size wanted implies.
      const int64_t most = std::max(w.stride[i], w.dilation[i]) - 1 - extra[i];
      if ((same && wanted.empty()) || total + most >= 0) total = std::max<int64_t>(total, 0);
      if (total < 0)
        return fail(node, fmt::format("output_shape {} is beyond the {} that can be computed",
                                      w.out[i], full));
      w.pad_begin[i] = mode == "SAME_UPPER" ? total / 2 : total - total / 2;
      w.pad_end[i] = total - w.pad_begin[i];
    } else {
      w.out[i] = full - w.pad_begin[i] - w.pad_end[i];
    }
    if (size < 1 || w.out[i] < 1)
      return fail(node, fmt::format("output axis {} would have size {}", i + 2, w.out[i]));
  }
  return w;
}

}  // namespace vultus
