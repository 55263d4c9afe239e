#pragma once

#include <vector>

#include "host/core/result.hpp"
#include "host/graph/graph.hpp"

namespace vultus {

/// How a pooling window slides along one axis, its padding resolved (pads or auto_pad).
struct PoolAxis {
  int64_t in = 1, out = 1, kernel = 1, stride = 1, dilation = 1;
  int64_t pad_begin = 0, pad_end = 0;
};

/// The spatial axes of a MaxPool or AveragePool of [N, C, ...] with any number of them.
Result<std::vector<PoolAxis>> pool_axes(const Node& node, const Shape& x);
/// [N, C, and what `axes` leave].
Shape pooled_shape(const Shape& x, const std::vector<PoolAxis>& axes);

/// Plain kernels of any rank; float32, row-major. `indices`, unless null, gets the position of each
/// maximum in the whole of `x`, which is counted column by column when `column_major`.
void max_pool(const TensorView& x, const TensorView& out, const std::vector<PoolAxis>& axes,
              int64_t* indices, bool column_major);
void average_pool(const TensorView& x, const TensorView& out, const std::vector<PoolAxis>& axes,
                  bool padding_counts);

}  // namespace vultus
