#include "gpu/view.hpp"

#include <numeric>

#include "gpu/ops/strided.hpp"

namespace vultus::gpu {

namespace {

using Runs = std::vector<View::Run>;

void push(Runs& runs, const View::Run& inner) {
  if (inner.size == 1) return;
  if (!runs.empty() && runs.back().stride == inner.stride * inner.size)
    runs.back() = {runs.back().size * inner.size, inner.stride};
  else
    runs.push_back(inner);
}

}  // namespace

View view_of(const TensorRef& t) {
  View view{.source = t, .shape = t.shape, .offset = 0, .axes = {}, .dense = true};
  std::vector<int64_t> strides = strides_of(t);
  for (int i = 0; i < t.shape.rank(); ++i) {
    view.axes.emplace_back();
    push(view.axes.back(), {t.shape[i], strides[static_cast<size_t>(i)]});
  }
  return view;
}

View transposed(const View& from, const std::vector<int64_t>& perm) {
  View view = from;
  view.same_order = kNoValue;
  view.dense = false;
  for (size_t i = 0; i < perm.size(); ++i) {
    auto axis = static_cast<size_t>(perm[i]);
    view.axes[i] = from.axes[axis];
    view.shape[static_cast<int>(i)] = from.shape[static_cast<int>(axis)];
  }
  return view;
}

std::optional<View> sliced(const View& from, const std::vector<int64_t>& starts,
                           const std::vector<int64_t>& steps, const Shape& shape) {
  View view = from;
  view.same_order = kNoValue;
  view.dense = false;
  view.shape = shape;
  for (size_t i = 0; i < starts.size(); ++i) {
    int64_t size = shape[static_cast<int>(i)];
    if (size == from.shape[static_cast<int>(i)] && steps[i] == 1) continue;
    if (from.axes[i].size() > 1) return std::nullopt;
    if (from.axes[i].empty()) continue;  // one element: nothing to choose from
    const View::Run& run = from.axes[i][0];
    view.offset += starts[i] * run.stride;
    view.axes[i].clear();
    push(view.axes[i], {size, run.stride * steps[i]});
  }
  return view;
}

std::optional<View> reshaped(const View& from, const Shape& shape) {
  Runs left;
  for (const Runs& axis : from.axes)
    for (const View::Run& run : axis)
      push(left, run);
  View view = from;
  view.dense = false;
  view.shape = shape;
  view.axes.assign(static_cast<size_t>(shape.rank()), {});
  size_t levels = 0;
  for (int i = shape.rank(); i-- > 0;) {
    Runs& axis = view.axes[static_cast<size_t>(i)];
    for (int64_t size = shape[i]; size > 1;) {
      View::Run& run = left.back();
      int64_t taken = std::gcd(size, run.size);
      if (taken != size && taken != run.size) return std::nullopt;
      axis.insert(axis.begin(), {taken, run.stride});
      size /= taken;
      run = {run.size / taken, run.stride * taken};
      if (run.size == 1) left.pop_back();
      ++levels;
    }
  }
  if (levels > kMaxLevels) return std::nullopt;
  return view;
}

}  // namespace vultus::gpu
