#pragma once

#include "host/cpu/builder.hpp"

namespace vultus::cpu {

/// One pass over the first output of a node of rank 4, which lies in `y`: adds the value `addend`
/// to it (kNoValue: nothing), then writes the node's second output if `second`.
void add_fused(Builder& b, NodeId node, Operand y, ValueId addend, bool second);

}  // namespace vultus::cpu
