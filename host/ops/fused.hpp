#pragma once

#include "host/ops/op.hpp"

namespace vultus {

/// Shape of the second output (host/graph/fused.hpp) of a node whose first is inferred; refuses
/// numbers that are not one per channel.
Result<void> infer_second_output(Infer& node);
/// Computes it from the first output, if the node has one.
void write_second_output(Eval& node);
/// Adds an addend that fits `out` (fit_addend).
void add_repeated(const TensorView& addend, const TensorView& out);

}  // namespace vultus
