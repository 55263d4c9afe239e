#pragma once

#include <optional>
#include <vector>

#include "gpu/builder.hpp"

namespace vultus::gpu {

/// The whole tensor where it lies.
View view_of(const TensorRef& t);
/// Axis i of the result is axis perm[i].
View transposed(const View& from, const std::vector<int64_t>& perm);
/// What begins at `starts` and goes on in `steps` (both per axis), `shape` of it. Nothing when an
/// axis that is cut is no single run.
std::optional<View> sliced(const View& from, const std::vector<int64_t>& starts,
                           const std::vector<int64_t>& steps, const Shape& shape);
/// The same elements in the same row-major order under another shape. Nothing when an axis would
/// begin within a run, or when strided kernels had too many levels to walk.
std::optional<View> reshaped(const View& from, const Shape& shape);

}  // namespace vultus::gpu
