#pragma once

#include "host/graph/fused.hpp"
#include "host/ops/op.hpp"

namespace vultus {

/// Shape of the second output (host/graph/fused.hpp) of a node whose first is inferred; refuses
/// numbers that are not one per channel.
Result<void> infer_second_output(Infer& node);
/// A node's second output; nothing where it has none.
std::optional<SecondOutput> find_second_output(const Node& node);
/// Computes it from the first output, if there is one.
void write_second_output(Eval& node, const std::optional<SecondOutput>& second);
/// Adds an addend that fits `out` (fit_addend).
void add_repeated(const TensorView& addend, const TensorView& out);

}  // namespace vultus
