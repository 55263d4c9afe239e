#pragma once

#include "host/cpu/builder.hpp"

namespace vultus::cpu {

/// x [N,C,...] times scale [N,C,1,1], in the layout of `x`, in memory of its own.
Operand scaled_channels(Builder& builder, NodeId node, const Operand& x, const Shape& shape,
                        ValueId scale);

/// Constant weights [O,C,kernel...] (`from`) in the layout `to`, each input channel times
/// scale [1,C,1,1] at every run.
Operand scaled_weights(Builder& builder, NodeId node, ValueId weights, const Desc& from,
                       const Desc& to, ValueId scale);

}  // namespace vultus::cpu
